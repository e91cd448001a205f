"""The page beside an exported bundle: one HTML document without outside resources. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatehouse.evidence import bundles, words
from gatehouse.evidence.bundles import Bundle
from gatehouse.evidence.chain import DIFFERS, Chain
from gatehouse.evidence.manifest import NAME, READY, Item, Manifest
from gatehouse.evidence.page_figures import Times, after, size, unset
from gatehouse.evidence.page_style import CSS
from gatehouse.evidence.verify import Finding
from gatehouse.html import Html, bad, document, element, joined, small, table
from gatehouse.texts import _

# What 'self' means for a page that is opened from a disk is up to the browser, hence file: besides.
_POLICY: Final = (
    "default-src 'none'; img-src 'self' file:; media-src 'self' file:; style-src 'unsafe-inline'"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: a bundle and what was found while it was copied."""

    bundle: Bundle
    manifest: Manifest
    findings: Sequence[Finding]
    chain: Chain
    made: datetime
    times: Times


def page(shown: Shown, *, language: str) -> str:
    """Return the whole document, in the language in use, which ``language`` names."""
    title = _("{school}: evidence of an alarm").format(school=shown.manifest.school)
    body = element(
        "main",
        _head(shown),
        _verdict(shown),
        _films(shown),
        _pictures(shown),
        _files(shown),
        _elsewhere(shown),
        _how(shown),
    )
    return document(title, body, css=CSS, policy=_POLICY, language=language)


def _head(shown: Shown) -> Html:
    manifest, event = shown.manifest, shown.manifest.event
    data = event.get("data")
    location = data.get("location") if isinstance(data, dict) else None
    button = str(event.get("subject", "")).removeprefix("button/")
    rows = (
        (
            _("pressed at"),
            shown.times.moment(event.get("time"), zone=True) + unset(event.get("clock")),
        ),
        (_("button"), " · ".join(str(each) for each in (location, button) if each)),
        (_("kind"), words.mode(str(event.get("mode", "")))),
        (_("footage wanted"), shown.times.span(manifest.begins, manifest.ends)),
        (_("cameras"), _(", ").join(manifest.cameras) or "–"),
        (_("gateway"), manifest.gateway),
        (_("alarm"), element("code", manifest.alarm)),
        (_("state"), _state(shown)),
        (_("exported"), shown.times.whole(shown.made)),
    )
    return element(
        "header",
        element("p", _("Evidence of a one-key alarm"), cls="kind"),
        element("h1", manifest.school),
        element("dl", *(_pair(name, said) for name, said in rows)),
    )


def _state(shown: Shown) -> str:
    released = shown.bundle.released
    gathered = "" if shown.manifest.state == READY else _("not complete yet") + " · "
    if released is None:
        return gathered + _("held")
    said = _("released by {name} at {time}")
    return gathered + said.format(name=released.by, time=shown.times.moment(released.time))


def _verdict(shown: Shown) -> Html:
    """Say first whether anything was changed, and what is lacking."""
    said: list[str] = [
        bad(
            _("{file}: {what}").format(
                file=each.file, what=f"{words.what(each.what)} ({each.text})"
            )
        )
        for each in shown.findings
    ]
    for name, word in ((_("alarm event"), shown.chain.event), (NAME, shown.chain.manifest)):
        text = f"{name}: {words.chain(word)}"
        said.append(bad(text) if word == DIFFERS else text)
    for lack in shown.manifest.lacking:
        since = shown.times.moment(lack.since) if lack.since else ""
        text = f"{lack.camera}, {words.kind(lack.kind)}: {words.lacking(lack, since)}"
        said.append(bad(_("lacking: {what}").format(what=text)))
    amiss = bool(shown.findings) or shown.chain.broken
    head = (
        _("Not all is as the manifest says.")
        if amiss
        else _("When this was exported, every file was as the manifest says.")
    )
    return element(
        "div",
        element("b", head),
        element("ul", *(element("li", each) for each in said)),
        cls="verdict amiss" if amiss else "verdict",
    )


def _films(shown: Shown) -> Html:
    films = [
        element(
            "figure",
            element("video", controls="", preload="metadata", src=item.file),
            element("figcaption", *_caption(shown, item), element("br"), _link(item)),
        )
        for item in bundles.clips(shown.manifest)
        if item.file in shown.bundle.files
    ]
    inside = element("div", *films, cls="films") if films else _none(_("no recordings"))
    return element("section", element("h2", _("Recordings")), inside)


def _pictures(shown: Shown) -> Html:
    found = [
        element(
            "figure",
            element("a", element("img", src=item.file, alt=item.camera, loading="lazy"),
                    href=item.file),
            element("figcaption", *_caption(shown, item)),
        )
        for item in bundles.pictures(shown.manifest)
        if item.file in shown.bundle.files
    ]  # fmt: skip
    inside = element("div", *found, cls="pictures") if found else _none(_("no pictures"))
    return element("section", element("h2", _("Pictures, in the order of time")), inside)


def _caption(shown: Shown, item: Item) -> tuple[str, ...]:
    """Return camera, times, and how long before or after the press."""
    amiss = any(finding.file == item.file for finding in shown.findings)
    when = shown.times.clock(item.begins)
    if item.ends != item.begins:
        when += f"–{shown.times.clock(item.ends)}"
    tail = f" · {after(shown.manifest.event.get('time'), item.begins)}{unset(item.clock)}"
    return (element("b", item.camera), f" {when}{tail} ", bad(_("changed")) if amiss else "")


def _link(item: Item) -> Html:
    return joined((element("a", item.file, href=item.file), f" · {words.source(item.source)}"))


def _files(shown: Shown) -> Html:
    amiss = {finding.file for finding in shown.findings}
    rows = [
        (
            item.file,
            words.kind(item.kind),
            size(item.bytes),
            bad(_("no")) if item.file in amiss else _("yes"),
            element("code", item.sha256),
        )
        for item in (*bundles.clips(shown.manifest), *_pictures_too(shown.manifest))
    ]
    own = hashlib.sha256(shown.bundle.manifest_body).hexdigest()
    rows.append((NAME, "", size(len(shown.bundle.manifest_body)), "", element("code", own)))
    titles = (_("file"), _("kind"), _("file size"), _("unchanged"), "SHA-256")
    return element("section", element("h2", _("Files")), table(titles, rows))


def _pictures_too(manifest: Manifest) -> list[Item]:
    """Return every picture, the small copies for the district too."""
    clips = bundles.clips(manifest)
    return [item for item in manifest.items if item not in clips]


def _elsewhere(shown: Shown) -> Html:
    if not shown.manifest.held:
        return Html("")
    rows = [
        (
            each.camera,
            shown.times.span(each.begins, each.ends or each.begins),
            element("code", each.path),
        )
        for each in shown.manifest.held
    ]
    return element(
        "section",
        element("h2", _("Recordings that the gateway keeps besides")),
        table((_("camera"), _("time"), _("file")), rows),
    )


def _how(shown: Shown) -> Html:
    """Say how anybody can check a hash without this program."""
    first = next((item.file for item in shown.manifest.items), NAME)
    lines = (
        ("Windows", f"certutil -hashfile {first} SHA256"),
        ("Linux", f"sha256sum {first}"),
        ("macOS", f"shasum -a 256 {first}"),
    )
    return element(
        "footer",
        element("h2", _("How to check a file")),
        element("p", _("A file is unchanged when its SHA-256 is the one in the table above:")),
        element("dl", *(_pair(name, element("code", line)) for name, line in lines)),
        element(
            "p",
            _("The table is that of manifest.json. The SHA-256 of manifest.json itself was sent to "
              "the district when the evidence was complete (evidence.ready): ask there that it is "
              "the same."),
        ),
        element("p", small(_("Times are the school's own. Where the clock was not set, only the "
                             "order and the distances are certain."))),
    )  # fmt: skip


def _none(text: str) -> Html:
    return element("p", text, cls="none")


def _pair(name: str, said: str) -> Html:
    return joined((element("dt", name), element("dd", said)))
