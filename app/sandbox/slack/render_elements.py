"""Elements of Block Kit, drawn. Every one that can be pressed says so in `data-` attributes:

`data-action-id`, `data-block-id`, `data-value`; in a message `data-channel` and `data-ts`, in a view
`data-view-id`; and where it asks back first `data-confirm-title`, `-text` (HTML), `-yes`, `-no`, `-style`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.sandbox.slack.emoji import with_emoji
from app.sandbox.slack.html import NOTHING, Html, join, safe, tag
from app.sandbox.slack.inputs import INITIAL_KEY, STATE_KEY, options_of
from app.sandbox.slack.mrkdwn import mrkdwn_html
from app.sandbox.slack.shapes import Json
from app.sandbox.slack.viewer import Viewer

Attributes = dict[str, str | bool | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """Where things are drawn. `place`: the attributes that say which message or view they stand in.

    `values`: what was typed so far, by block id, so that redrawing a form loses nothing.
    """

    viewer: Viewer
    place: Attributes
    values: Mapping[str, str]


def text_html(text: Any, frame: Frame) -> Html:
    """A plain_text or mrkdwn object."""
    if not isinstance(text, dict):
        return NOTHING
    if text["type"] == "plain_text":
        shown = with_emoji(text["text"]) if text.get("emoji", True) else safe(text["text"])
        return Html(shown.replace("\n", "<br>"))
    return mrkdwn_html(text["text"], viewer=frame.viewer, verbatim=bool(text.get("verbatim")))


def element_html(element: Json, block_id: str, frame: Frame) -> Html:
    """Any element, in a message, a view or an input."""
    draw = DRAWN.get(element["type"], _unknown)
    return draw(element, block_id, frame)


def _about(element: Json, block_id: str, frame: Frame) -> Attributes:
    return {
        "data-action-id": element.get("action_id"),
        "data-block-id": block_id,
        **frame.place,
        **_confirm(element.get("confirm"), frame),
    }


def _confirm(confirm: Any, frame: Frame) -> Attributes:
    if not isinstance(confirm, dict):
        return {}
    return {
        "data-confirm-title": confirm["title"]["text"],
        "data-confirm-text": text_html(confirm["text"], frame),
        "data-confirm-yes": confirm["confirm"]["text"],
        "data-confirm-no": confirm["deny"]["text"],
        "data-confirm-style": confirm.get("style", "primary"),
    }


def _button(element: Json, block_id: str, frame: Frame) -> Html:
    style = element.get("style")
    attributes: Attributes = {
        "class": f"sl-button sl-button--{style}" if style else "sl-button",
        "type": "button",
        **_about(element, block_id, frame),
        "data-value": element.get("value"),
        "data-url": element.get("url"),
        "aria-label": element.get("accessibility_label"),
    }
    return tag("button", attributes, text_html(element["text"], frame))


def _image(element: Json, _block_id: str, _frame: Frame) -> Html:
    return tag("img", {"class": "sl-image", "src": element["image_url"], "alt": element["alt_text"]})


def _options(element: Json, frame: Frame, chosen: str | None) -> Html:
    return join(
        *(
            tag(
                "option",
                {"value": option["value"], "selected": option["value"] == chosen},
                option["text"]["text"],
            )
            for option in options_of(element)
        )
    )


def _select(element: Json, block_id: str, frame: Frame) -> Html:
    placeholder = element.get("placeholder", {}).get("text", "…")
    initial = element.get("initial_option") or {}
    chosen = frame.values.get(block_id) or initial.get("value")
    attributes: Attributes = {
        "class": "sl-select",
        "name": block_id,
        "multiple": element["type"].startswith("multi_"),
        **_about(element, block_id, frame),
    }
    empty = tag("option", {"value": ""}, placeholder)
    return tag("select", attributes, empty, _options(element, frame, chosen))


def _overflow(element: Json, block_id: str, frame: Frame) -> Html:
    attributes: Attributes = {"class": "sl-select sl-overflow", **_about(element, block_id, frame)}
    return tag("select", attributes, tag("option", {"value": ""}, "⋯"), _options(element, frame, None))


def _ticks(element: Json, block_id: str, frame: Frame) -> Html:
    kind = "radio" if element["type"] == "radio_buttons" else "checkbox"
    initial = (
        [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
    )
    ticked = {option["value"] for option in initial}
    boxes = []
    for option in element["options"]:
        attributes: Attributes = {
            "type": kind,
            "name": block_id,
            "value": option["value"],
            "checked": option["value"] in ticked,
            **_about(element, block_id, frame),
        }
        boxes.append(
            tag("label", {"class": "sl-tick"}, tag("input", attributes), text_html(option["text"], frame))
        )
    return tag("div", {"class": "sl-ticks"}, *boxes)


_INPUT_TYPES: Final = {
    "email_text_input": "email",
    "url_text_input": "url",
    "number_input": "number",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime-local",
}


def _typing(element: Json, block_id: str, frame: Frame) -> Html:
    initial = element.get(INITIAL_KEY[STATE_KEY[element["type"]]])
    value = frame.values.get(block_id) or ("" if initial is None else str(initial))
    longest = element.get("max_length")
    attributes: Attributes = {
        "class": "sl-input",
        "name": block_id,
        "placeholder": element.get("placeholder", {}).get("text"),
        "maxlength": str(longest) if longest else None,
        "autofocus": bool(element.get("focus_on_load")),
        "dir": "auto",
        **_about(element, block_id, frame),
    }
    if element.get("multiline"):
        return tag("textarea", {**attributes, "rows": "4"}, value)
    kind = _INPUT_TYPES.get(element["type"], "text")
    return tag("input", {**attributes, "type": kind, "value": value})


def _unknown(element: Json, block_id: str, frame: Frame) -> Html:
    return tag("span", {"class": "sl-unknown"}, f"[{element['type']}]")


Draw = Callable[[Json, str, Frame], Html]

DRAWN: Final[dict[str, Draw]] = {
    "button": _button,
    "image": _image,
    "static_select": _select,
    "multi_static_select": _select,
    "overflow": _overflow,
    "checkboxes": _ticks,
    "radio_buttons": _ticks,
    "plain_text_input": _typing,
    "users_select": _typing,
    "channels_select": _typing,
    "conversations_select": _typing,
    **dict.fromkeys(_INPUT_TYPES, _typing),
}
