"""Who may press the button of the page: nobody but the page itself, from this machine."""

import json
from typing import Any

import httpx

from sim.page_school import Shown, shown

PRESS = {"do": "press", "button": "gate", "down": True}


def asked(
    here: Shown,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Request:
    """Make a wish as the page does, but for what is given."""
    own = here.url.rstrip("/")
    mine = {"origin": own, "content-type": "application/json"} | (headers or {})
    return httpx.Request(
        "POST",
        f"{own}/do",
        content=json.dumps(PRESS).encode() if body is None else body,
        headers={name: value for name, value in mine.items() if value},
    )


WRONG: list[tuple[int, dict[str, Any]]] = [
    (403, {"headers": {"origin": "https://evil.example"}}),
    (403, {"headers": {"origin": "http://127.0.0.1:1"}}),
    (403, {"headers": {"origin": "null"}}),
    (403, {"headers": {"origin": ""}}),
    (421, {"headers": {"host": "evil.example"}}),
    (421, {"headers": {"host": "127.0.0.1"}}),
    (415, {"headers": {"content-type": "text/plain"}}),
    (415, {"headers": {"content-type": "application/x-www-form-urlencoded"}}),
    (400, {"body": b""}),
    (400, {"body": b"\xff\xfe"}),
    (400, {"body": b"[" * 4000}),
    (400, {"body": json.dumps(PRESS | {"more": 1}).encode()}),
    (400, {"body": json.dumps(PRESS | {"down": "yes"}).encode()}),
    (400, {"body": b'{"do": "shell", "line": "true"}'}),
    (400, {"body": b'{"do": "agent", "how": "kill; true"}'}),
    (404, {"body": json.dumps(PRESS | {"button": "<script>"}).encode()}),
    (404, {"body": b'{"do": "key", "button": "office", "down": true}'}),
    (409, {"body": b'{"do": "cover", "camera": "../gate", "covered": true}'}),
    (413, {"body": json.dumps(PRESS | {"button": "x" * 5000}).encode()}),
]
READ = ["do", "do?do=press&button=gate&down=true", "static/../app.py", "static/%2e%2e/app.py"]


async def test_nobody_else_presses_and_nothing_else_is_done() -> None:
    """Without it any website that is open in a browser could press the demo's button."""
    async with shown() as here, httpx.AsyncClient() as client:
        for code, what in WRONG:
            answer = await client.send(asked(here, **what))
            assert answer.status_code == code, (what, answer.text)
        for path in READ:
            answer = await client.get(here.url + path)
            assert answer.status_code in {404, 405}, path
        answer = await client.options(f"{here.url}do", headers={"origin": "https://evil.example"})
        assert answer.status_code == 403
        assert not any("access-control" in name for name in answer.headers)
        with here.school.wires() as wires:
            assert wires.history(here.school.button("gate").pin) == []
        status = await here.school.agent.status()
        assert {button["last_alarm"] for button in status["buttons"]} == {None}
        assert (await client.send(asked(here))).json() == {"ok": True, "said": "gate: pressed"}
        await what_every_answer_says(here, client)


async def what_every_answer_says(here: Shown, client: httpx.AsyncClient) -> None:
    """Look at the heads, without which markup in a name could act, and at the language."""
    for path in ("", "static/school.js", "nothing"):
        headers = (await client.get(here.url + path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    for wanted, language in {"en-GB": "en", "zh-CN,en;q=0.5": "zh-CN", "": "en"}.items():
        html = (await client.get(here.url, headers={"accept-language": wanted})).text
        assert f'<html lang="{language}"' in html
