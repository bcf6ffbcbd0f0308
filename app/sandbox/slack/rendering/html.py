"""Builds HTML that is escaped by default: only `Html` is inserted as it is."""

from html import escape
from typing import Final

VOID: Final = frozenset({"img", "input", "hr", "br"})


class Html(str):
    """Markup of our own making."""

    __slots__ = ()


NOTHING: Final = Html("")


def safe(content: str) -> Html:
    """Escapes, unless it is markup already."""
    return content if isinstance(content, Html) else Html(escape(content, quote=True))


def join(*parts: str) -> Html:
    return Html("".join(safe(part) for part in parts))


def tag(name: str, attributes: dict[str, str | bool | None] | None = None, *content: str) -> Html:
    """An element. An attribute that is None or False is left out; True is written without a value."""
    written = "".join(_attribute(key, value) for key, value in (attributes or {}).items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*content)}</{name}>")


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    return f" {key}" if value is True else f' {key}="{escape(str(value), quote=True)}"'
