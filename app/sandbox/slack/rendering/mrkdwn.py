"""Renders Slack's markup: https://docs.slack.dev/messaging/formatting-message-text.

As in Slack, a `*` or `_` opens and closes only where no letter touches it from outside: `*승인*했습니다` stays
as it is written, in real Slack too.
"""

import re
from collections.abc import Callable
from typing import Final

from app.sandbox.slack.rendering.dates import format_moment
from app.sandbox.slack.rendering.emoji import with_emoji
from app.sandbox.slack.rendering.html import Html, join, safe, tag
from app.sandbox.slack.rendering.viewer import Viewer

_HOLD: Final = re.compile("\ue000(\\d+)\ue001")
_PRE: Final = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_CODE: Final = re.compile(r"`([^`\n]+)`")
_ENTITY: Final = re.compile(r"<([^<>\n]+)>")
_BARE_URL: Final = re.compile(r"https?://[^\s<>|\ue000\ue001]+[^\s<>|.,;:!?)\ue000\ue001]")
_LINKED: Final = ("https://", "http://", "mailto:", "tel:")
_STYLES: Final = tuple(
    (
        re.compile(rf"(?<![\w{d}]){d}(?=[^\s{d}])([^\n{d}]*[^\s{d}]){d}(?![\w{d}])"),
        name,
    )
    for d, name in ((r"\*", "b"), ("_", "i"), ("~", "s"))
)
_QUOTE: Final = re.compile(r"^(?:>|&gt;) ?")
_BROADCASTS: Final = ("channel", "here", "everyone")


def mrkdwn_html(text: str, *, viewer: Viewer, verbatim: bool = True) -> Html:
    """`verbatim` false: bare addresses become links too, as Slack does by default."""
    return _Renderer(viewer, verbatim=verbatim).render(text)


class _Renderer:
    """One text. Parts that are rendered already are set aside, so that later rules do not change them."""

    def __init__(self, viewer: Viewer, *, verbatim: bool) -> None:
        self._viewer = viewer
        self._verbatim = verbatim
        self._held: list[Html] = []

    def render(self, text: str) -> Html:
        text = text.replace("\ue000", "").replace("\ue001", "")
        text = _PRE.sub(lambda found: self._hold(tag("pre", {"class": "sl-pre"}, self._code(found[1]))), text)
        text = _CODE.sub(
            lambda found: self._hold(tag("code", {"class": "sl-code"}, self._code(found[1]))), text
        )
        text = _ENTITY.sub(lambda found: self._entity(found), text)
        if not self._verbatim:
            text = _BARE_URL.sub(lambda found: self._hold(_link(_decoded(found[0]), "")), text)
        return self._released(self._lines(text))

    def _lines(self, text: str) -> Html:
        """Quotations and the lines between them."""
        rendered: list[Html] = []
        quoted: list[str] = []
        plain: list[str] = []
        for line in text.split("\n"):
            is_quote = _QUOTE.match(line) is not None
            if is_quote and plain:
                rendered.append(self._paragraph(plain))
            elif not is_quote and quoted:
                rendered.append(tag("blockquote", {"class": "sl-quote"}, self._paragraph(quoted)))
            (quoted if is_quote else plain).append(_QUOTE.sub("", line) if is_quote else line)
        if quoted:
            rendered.append(tag("blockquote", {"class": "sl-quote"}, self._paragraph(quoted)))
        if plain:
            rendered.append(self._paragraph(plain))
        return join(*rendered)

    def _paragraph(self, lines: list[str]) -> Html:
        """Takes the lines, so that the list is empty afterwards."""
        styled: str = safe(_decoded("\n".join(lines)))
        lines.clear()
        for pattern, name in _STYLES:
            styled = pattern.sub(rf"<{name}>\1</{name}>", styled)
        return Html(with_emoji(Html(styled)).replace("\n", "<br>"))

    def _entity(self, found: re.Match[str]) -> str:
        inner = found[1]
        for prefix, render in self._entities():
            if inner.startswith(prefix):
                return self._hold(render(inner))
        return found[0].replace("<", "&lt;").replace(">", "&gt;")

    def _entities(self) -> tuple[tuple[str | tuple[str, ...], Callable[[str], Html]], ...]:
        return (("@", self._user), ("#", self._channel), ("!", self._special), (_LINKED, self._address))

    def _user(self, inner: str) -> Html:
        id_, _, label = inner[1:].partition("|")
        name = self._viewer.users.get(id_) or _decoded(label) or id_
        return _mention(f"@{name}", is_me=id_ == self._viewer.user, data={"data-user": id_})

    def _channel(self, inner: str) -> Html:
        id_, _, label = inner[1:].partition("|")
        return _mention(f"#{self._viewer.channels.get(id_) or _decoded(label) or id_}", is_me=False)

    def _special(self, inner: str) -> Html:
        command, _, label = inner[1:].partition("|")
        if command in _BROADCASTS:
            return tag("span", {"class": "sl-broadcast"}, f"@{command}")
        kind, *parts = command.split("^")
        if kind == "subteam" and parts:
            handle = self._viewer.groups.get(parts[0]) or _decoded(label).removeprefix("@") or parts[0]
            return _mention(f"@{handle}", is_me=parts[0] in self._viewer.my_groups)
        if kind == "date" and len(parts) >= 2:
            return self._moment(parts, _decoded(label))
        return safe(f"<{_decoded(inner)}>" if not label else _decoded(label))

    def _moment(self, parts: list[str], fallback: str) -> Html:
        written = format_moment(parts[0], _decoded(parts[1]), fallback=fallback, viewer=self._viewer)
        shown = tag("time", {"class": "sl-date", "data-unix": parts[0], "title": fallback}, written)
        linked = len(parts) > 2 and parts[2].startswith(_LINKED)
        return _link(_decoded(parts[2]), shown) if linked else shown

    def _address(self, inner: str) -> Html:
        url, _, label = inner.partition("|")
        return _link(_decoded(url), with_emoji(_decoded(label)))

    def _code(self, text: str) -> Html:
        """Code shows markup as it is, save that addresses and mentions lose their brackets."""
        return safe(_decoded(_ENTITY.sub(lambda found: found[1].rpartition("|")[2], text)))

    def _hold(self, rendered: Html) -> str:
        self._held.append(rendered)
        return f"\ue000{len(self._held) - 1}\ue001"

    def _released(self, text: str) -> Html:
        return Html(_HOLD.sub(lambda held: self._held[int(held[1])], text))


def _decoded(text: str) -> str:
    """Slack decodes three entities and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _mention(name: str, *, is_me: bool, data: dict[str, str | bool | None] | None = None) -> Html:
    return tag(
        "span", {"class": "sl-mention sl-mention--me" if is_me else "sl-mention", **(data or {})}, name
    )


def _link(url: str, label: str) -> Html:
    attributes: dict[str, str | bool | None] = {
        "class": "sl-link",
        "href": url,
        "target": "_blank",
        "rel": "noopener noreferrer",
    }
    return tag("a", attributes, label or url)
