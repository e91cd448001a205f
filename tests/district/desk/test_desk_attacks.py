"""Everything that somebody may try against the desk, refused or made harmless."""

from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from district.desk.rig import BASE, Desk, desk
from gatehouse_district.desk import Role
from gatehouse_district.desk.parts import Limits

OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
PUBLIC = {"/sign-in"}
ADMINISTERED = {"/accounts", "/journal"}


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with one account of each role, and one alarm."""
    async with desk(tmp_path) as made:
        made.district.raised("a1")
        yield made


def _routes(it: Desk, method: str) -> list[str]:
    """Return every path of the desk that takes this method, its parameters filled in."""
    found = []
    for route in it.app.routes:
        if isinstance(route, Route) and method in (route.methods or set()):
            path = route.path.replace("{id:path}", "a1").replace("{number}", "1")
            found.append(path)
    assert len(found) > 5
    return found


async def test_nobody_sees_anything_before_signing_in(it: Desk) -> None:
    """Without it a page that was forgotten would show alarms to whoever asks."""
    browser = it.client()
    for path in _routes(it, "GET"):
        answer = await browser.get(path)
        if path in PUBLIC:
            assert answer.status_code == 200
        else:
            assert answer.status_code in {303, 401}, path
            assert "实验小学" not in answer.text
    for path in _routes(it, "POST"):
        answer = await browser.post(path, data={"alarm": "a1"}, headers=OWN)
        assert answer.status_code in {303, 401}, path
    assert it.district.asked == []


async def test_every_route_refuses_who_may_less(it: Desk) -> None:
    """Without it somebody who may only look could answer, or let others in."""
    for role in (Role.WATCH, Role.ANSWER):
        browser = await it.signed_in(role.value)
        csrf = await browser.csrf()
        for path in _routes(it, "GET"):
            if path in ADMINISTERED:
                assert (await browser.get(path)).status_code == 403, path
        for path in _routes(it, "POST"):
            administered = path.startswith("/accounts/")
            answers = path in {"/acknowledge", "/release-evidence", "/snapshot"}
            if administered or (answers and role is Role.WATCH):
                answer = await browser.send_form(path, csrf=csrf, alarm="a1", name="watch")
                assert answer.status_code == 403, path
    assert it.district.asked == []
    assert len(await it.parts.accounts.all()) == 3
    refused = [line.action for line in await it.parts.accounts.journal.lines()]
    assert any(each.action == "accounts/remove" and each.who == "watch" for each in refused)


@pytest.mark.parametrize(
    "heads",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://localhost:8443"},
        {"origin": "http://localhost:9999"},
        {"origin": "http://[broken"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": BASE},
        {"sec-fetch-site": "none", "origin": BASE},
    ],
)
async def test_a_post_from_another_page_is_refused(it: Desk, heads: dict[str, str]) -> None:
    """Without it a page elsewhere could answer alarms through a signed-in browser."""
    browser = await it.signed_in("answer")
    csrf = await browser.csrf()
    for path in _routes(it, "POST"):
        answer = await browser.send_form(path, heads, csrf=csrf, alarm="a1", by="x")
        assert answer.status_code == 403, path
    assert it.district.asked == []
    assert (await it.client().send_form("/sign-in", heads, name="answer")).status_code == 403


async def test_a_post_without_the_sessions_own_token_is_refused(it: Desk) -> None:
    """Without it a form that somebody planted on our own pages could act."""
    browser, other = await it.signed_in("answer"), await it.signed_in("answer")
    for token in ("", "wrong", "\udc80", await other.csrf()):
        for path in _routes(it, "POST"):
            if path in PUBLIC:
                continue
            fields = {"csrf": token.encode("utf-8", "replace").decode(), "alarm": "a1"}
            assert (await browser.send_form(path, None, **fields)).status_code == 403, path
    assert it.district.asked == []
    assert (await browser.act("/acknowledge", alarm="a1")).status_code == 303
    assert it.district.asked == [("acknowledge", "a1", "answer 王敏")]


async def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_lines(tmp_path: Path) -> None:
    """Without it a script, another site or somebody on the line could take a session."""
    async with desk(tmp_path, secure=True) as made:
        base = "https://localhost:8443"
        browser = made.client(base)
        cookie = (await browser.sign_in("watch")).headers["set-cookie"]
        for word in ("__Host-desk=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
            assert word in cookie
        answer = await browser.get("/")
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        plain = {"origin": "http://localhost:8443"}
        assert (await browser.send_form("/sign-out", plain)).status_code == 403


async def test_every_answer_keeps_browsers_careful(it: Desk) -> None:
    """Without it a browser could run what a stranger sent, frame the desk, or keep its pages."""
    browser = await it.signed_in("watch")
    for path in (
        "/",
        "/nowhere",
        "/alarm/none",
        "/static/desk.js",
        "/sign-in",
        "/static/../app.py",
    ):
        heads = (await browser.get(path)).headers
        policy = heads["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert heads["x-content-type-options"] == "nosniff"
        assert heads["referrer-policy"] == "same-origin"
        assert heads["cache-control"] == "no-store"
        assert "strict-transport-security" not in heads


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.2:8443"])
async def test_another_host_is_not_answered(it: Desk, host: str) -> None:
    """Without it a name that points here could make a browser take us for its own site."""
    assert (await it.client().get("/sign-in", headers={"host": host})).status_code == 421


async def test_a_body_that_is_too_large_or_none_of_ours_is_refused(it: Desk) -> None:
    """Without it one POST could take the memory that alarms need."""
    browser = await it.signed_in("answer")
    assert (await browser.post("/sign-in", content=b"x" * 70_000, headers=OWN)).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000

    assert (await browser.post("/sign-in", content=endless(), headers=OWN)).status_code == 413
    many = b"&".join(b"a=1" for _ in range(100))
    assert (await browser.post("/acknowledge", content=many, headers=OWN)).status_code == 409
    for length in ("-1", "1e9", "9" * 4_000):
        heads = {**OWN, "content-length": length}
        assert (await browser.post("/sign-in", content=b"x", headers=heads)).status_code == 413


async def test_whoever_hangs_up_in_a_form_is_no_mistake_of_ours(it: Desk) -> None:
    """Without it each one would write a traceback: the log would be full of strangers."""
    came = iter([{"type": "http.request", "body": b"n", "more_body": True}])

    async def receive() -> dict[str, object]:
        return next(came, {"type": "http.disconnect"})

    async def send(message: MutableMapping[str, object]) -> None:
        raise AssertionError(message)

    scope = {
        "type": "http", "method": "POST", "path": "/sign-in", "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": ("10.0.0.1", 1),
    }  # fmt: skip
    await it.app(scope, receive, send)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2f..%2fetc/passwd",
        "/static//etc/passwd",
        "/static/",
        "/picture/1/../../desk.db",
        "/alarm/%00",
        "/alarm/" + "x" * 5_000,
        "/gateway/..%2f..",
        "/picture/99999999999999999999/a1",
        "/picture/" + "9" * 5_000 + "/a1",
        "/picture/x/a1",
        "/picture/1/'; DROP TABLE alarm; --",
        "/events?before=99999999999999999999&type='--&gateway=%ff%00",
        "/journal?before=-1",
    ],
)
async def test_no_path_leads_outside_and_none_breaks_a_page(it: Desk, path: str) -> None:
    """Without it files of the machine could be read, or a page be made to fail."""
    browser = await it.signed_in("administer")
    answer = await browser.get(path)
    assert answer.status_code in {200, 404}
    assert "import" not in answer.text
    assert "root:" not in answer.text


async def test_too_many_posts_are_slowed(tmp_path: Path) -> None:
    """Without it a program with a session could keep the district's disk busy."""

    async def enrol(_request: Request) -> Response:
        return PlainTextResponse("enrolled")

    limits = Limits(post_session=(3, 0.1), post_any=(12, 0.1))
    extra = (Route("/enrol", enrol, methods=["POST"]),)
    async with desk(tmp_path, limits=limits, extra=extra) as made:
        browser = await made.signed_in("answer")
        codes = [(await browser.act("/acknowledge", alarm="no")).status_code for _ in range(5)]
        assert codes == [409, 409, 409, 429, 429]
        other = await made.signed_in("answer")
        csrf = await other.csrf()
        stranger = made.client()
        codes = [(await stranger.post("/enrol")).status_code for _ in range(20)]
        assert codes[0] == 200
        assert codes[-1] == 429
        assert (await stranger.sign_in("answer")).status_code == 429
        # nobody behind the same address keeps from answering who has signed in
        assert (await other.send_form("/acknowledge", csrf=csrf, alarm="no")).status_code == 409
