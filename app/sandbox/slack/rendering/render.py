"""Messages and views as HTML close to Slack's own look. `static/slack.css` styles them; no script is needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from app.sandbox.slack.rendering.dates import short_time
from app.sandbox.slack.rendering.html import NOTHING, Html, join, tag
from app.sandbox.slack.rendering.mrkdwn import mrkdwn_html
from app.sandbox.slack.rendering.render_elements import element_html
from app.sandbox.slack.rendering.render_frame import Frame, text_html
from app.sandbox.slack.rendering.viewer import Viewer
from app.sandbox.slack.rendering.words import words_of
from app.sandbox.slack.state.shapes import Json, Message, View

STYLESHEET: Final = Path(__file__).parent / "static" / "slack.css"


def message_html(message: Message, *, viewer: Viewer, above: Html = NOTHING) -> str:
    """One message: `<article class="sl-message" data-channel data-ts>`; blocks where it has any, else text.

    `above` is rendered between its head and its body.
    """
    place: dict[str, str | bool | None] = {"data-channel": message.channel, "data-ts": message.ts}
    frame = Frame(viewer=viewer, place=place, values={})
    body = blocks_html(message.blocks, frame) if message.blocks else _text_only(message, viewer)
    words = words_of(viewer)
    edited = tag("span", {"class": "sl-edited"}, words["edited"]) if message.edited_at else NOTHING
    whisper = tag("div", {"class": "sl-only-you"}, "👁 ", words["only_you"]) if message.only_for else NOTHING
    name = "sl-message sl-message--whisper" if message.only_for else "sl-message"
    return tag(
        "article",
        {"class": name, **place},
        _avatar(message, viewer),
        tag("div", {"class": "sl-body"}, whisper, _head(message, viewer), above, body, edited),
    )


def view_html(view: View, *, viewer: Viewer, values: Mapping[str, str] | None = None) -> str:
    """A modal as `<form class="sl-modal" data-view-id>`, a Home tab as `<section class="sl-home">`.

    Fields are named by block id. Buttons of the frame: `data-modal="submit"` and `data-modal="close"`.
    `values`: what was typed so far, by block id.
    """
    frame = Frame(viewer=viewer, place={"data-view-id": view.id}, values=values or {})
    blocks = blocks_html(view.body["blocks"], frame, errors=view.errors)
    about: dict[str, str | bool | None] = {"data-view-id": view.id, "data-callback-id": view.callback_id}
    if view.type == "home":
        return tag("section", {"class": "sl-home", **about}, blocks)
    heading = tag("h2", {"class": "sl-modal-title"}, text_html(view.body["title"], frame))
    return tag(
        "form",
        {"class": "sl-modal", **about, "novalidate": True},
        tag("header", {"class": "sl-modal-head"}, heading),
        tag("div", {"class": "sl-modal-body"}, blocks),
        tag("footer", {"class": "sl-modal-foot"}, *_modal_buttons(view, frame)),
    )


def blocks_html(blocks: Sequence[Json], frame: Frame, *, errors: Mapping[str, str] | None = None) -> Html:
    """`errors` are rendered under their inputs, by block id."""
    rendered = [_BLOCKS.get(block["type"], _unknown)(block, frame) for block in blocks]
    errors_html = [_error((errors or {}).get(block["block_id"])) for block in blocks]
    return tag(
        "div", {"class": "sl-blocks"}, *(join(*pair) for pair in zip(rendered, errors_html, strict=True))
    )


def _text_only(message: Message, viewer: Viewer) -> Html:
    text = mrkdwn_html(message.text, viewer=viewer, verbatim=False)
    return tag("div", {"class": "sl-text", "dir": "auto"}, text)


def _avatar(message: Message, viewer: Viewer) -> Html:
    name = viewer.users.get(message.user, message.user)
    kind = "sl-avatar sl-avatar--app" if message.by_app else "sl-avatar"
    return tag("div", {"class": kind, "aria-hidden": "true"}, name[:1].upper())


def _head(message: Message, viewer: Viewer) -> Html:
    badge = tag("span", {"class": "sl-badge"}, words_of(viewer)["app"]) if message.by_app else NOTHING
    at = datetime.fromtimestamp(float(message.ts), UTC)
    return tag(
        "div",
        {"class": "sl-head"},
        tag("b", {"class": "sl-name"}, viewer.users.get(message.user, message.user)),
        badge,
        tag("time", {"class": "sl-time", "datetime": at.isoformat()}, short_time(at, viewer)),
    )


def _modal_buttons(view: View, frame: Frame) -> list[Html]:
    kinds = (("close", "sl-button"), ("submit", "sl-button sl-button--primary"))
    cancel = {"type": "plain_text", "text": words_of(frame.viewer)["cancel"]}
    buttons = []
    for name, style in kinds:
        text: Any = view.body.get(name) or (cancel if name == "close" else None)
        if text is not None:
            kind = "submit" if name == "submit" else "button"
            attributes: dict[str, str | bool | None] = {"class": style, "type": kind, "data-modal": name}
            buttons.append(tag("button", attributes, text_html(text, frame)))
    return buttons


def _header(block: Json, frame: Frame) -> Html:
    return tag("h3", {"class": "sl-header", "dir": "auto"}, text_html(block["text"], frame))


def _section(block: Json, frame: Frame) -> Html:
    text = block.get("text")
    said = tag("div", {"class": "sl-text", "dir": "auto"}, text_html(text, frame)) if text else NOTHING
    cells = [
        tag("div", {"class": "sl-field", "dir": "auto"}, text_html(one, frame))
        for one in block.get("fields", [])
    ]
    fields = tag("div", {"class": "sl-fields"}, *cells) if cells else NOTHING
    beside = block.get("accessory")
    accessory = (
        tag("div", {"class": "sl-accessory"}, element_html(beside, block["block_id"], frame))
        if beside
        else NOTHING
    )
    return tag(
        "div", {"class": "sl-section"}, tag("div", {"class": "sl-section-main"}, said, fields), accessory
    )


def _context(block: Json, frame: Frame) -> Html:
    parts = []
    for element in block["elements"]:
        is_image = element["type"] == "image"
        rendered = element_html(element, block["block_id"], frame) if is_image else text_html(element, frame)
        parts.append(tag("span", {"class": "sl-context-part", "dir": "auto"}, rendered))
    return tag("div", {"class": "sl-context"}, *parts)


def _actions(block: Json, frame: Frame) -> Html:
    rendered = (element_html(element, block["block_id"], frame) for element in block["elements"])
    return tag("div", {"class": "sl-actions", "data-block-id": block["block_id"]}, *rendered)


def _divider(_block: Json, _frame: Frame) -> Html:
    return tag("hr", {"class": "sl-divider"})


def _picture(block: Json, frame: Frame) -> Html:
    title = tag("figcaption", None, text_html(block["title"], frame)) if "title" in block else NOTHING
    source = {"image_url": block.get("image_url", ""), "alt_text": block["alt_text"], "type": "image"}
    return tag("figure", {"class": "sl-figure"}, title, element_html(source, block["block_id"], frame))


def _input(block: Json, frame: Frame) -> Html:
    optional = f" {words_of(frame.viewer)['optional']}" if block.get("optional") else ""
    label = tag("span", {"class": "sl-label"}, text_html(block["label"], frame), optional)
    hint = tag("span", {"class": "sl-hint"}, text_html(block["hint"], frame)) if "hint" in block else NOTHING
    field = element_html(block["element"], block["block_id"], replace(frame, labelled=True))
    about: dict[str, str | bool | None] = {"class": "sl-field-row", "data-block-id": block["block_id"]}
    if block["element"]["type"] in {"checkboxes", "radio_buttons"}:
        # Each box has a label of its own; one around all of them would tick the first.
        named = {**about, "role": "group", "aria-label": block["label"]["text"]}
        return tag("div", named, label, field, hint)
    return tag("label", about, label, field, hint)


def _alert(block: Json, frame: Frame) -> Html:
    return tag(
        "div",
        {"class": f"sl-alert sl-alert--{block.get('level', 'default')}"},
        text_html(block["text"], frame),
    )


def _unknown(block: Json, _frame: Frame) -> Html:
    return tag("div", {"class": "sl-unknown"}, f"[{block['type']}]")


def _error(text: str | None) -> Html:
    return tag("div", {"class": "sl-error", "role": "alert"}, text) if text else NOTHING


_BLOCKS: Final[dict[str, Callable[[Json, Frame], Html]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "image": _picture,
    "input": _input,
    "alert": _alert,
}
