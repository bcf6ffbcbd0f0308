"""Renders the elements of Block Kit. Their data attributes are in `render_frame`."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from app.sandbox.slack.rendering.html import NOTHING, Html, join, tag
from app.sandbox.slack.rendering.render_frame import Attributes, Frame, about, text_html
from app.sandbox.slack.rendering.words import words_of
from app.sandbox.slack.state.inputs import INITIAL_KEY, STATE_KEY, options_of
from app.sandbox.slack.state.shapes import Json


def element_html(element: Json, block_id: str, frame: Frame) -> Html:
    """Any element, in a message, a view or an input."""
    render = RENDERERS.get(element["type"], _unknown)
    return render(element, block_id, frame)


def _button(element: Json, block_id: str, frame: Frame) -> Html:
    style = element.get("style")
    attributes: Attributes = {
        "class": f"sl-button sl-button--{style}" if style else "sl-button",
        "type": "button",
        **about(element, block_id, frame),
        "data-value": element.get("value"),
        "data-url": element.get("url"),
        "aria-label": element.get("accessibility_label"),
    }
    return tag("button", attributes, text_html(element["text"], frame))


def _image(element: Json, _block_id: str, _frame: Frame) -> Html:
    return tag("img", {"class": "sl-image", "src": element["image_url"], "alt": element["alt_text"]})


def _options(element: Json, frame: Frame, chosen: Collection[str]) -> Html:
    return join(
        *(
            tag(
                "option",
                {
                    "value": option["value"],
                    "selected": option["value"] in chosen,
                    "data-url": option.get("url"),
                },
                option["text"]["text"],
            )
            for option in options_of(element)
        )
    )


def _select(element: Json, block_id: str, frame: Frame) -> Html:
    placeholder = element.get("placeholder", {}).get("text", "…")
    multiple = element["type"].startswith("multi_")
    typed = frame.values.get(block_id)
    chosen = {typed} if typed else _initially(element)
    attributes: Attributes = {
        "class": "sl-select",
        "name": block_id,
        "multiple": multiple,
        "aria-label": None if frame.labelled else placeholder,
        **about(element, block_id, frame),
    }
    empty = NOTHING if multiple else tag("option", {"value": ""}, placeholder)
    return tag("select", attributes, empty, _options(element, frame, chosen))


def _initially(element: Json) -> set[str]:
    """The values that are chosen at first."""
    one = [element["initial_option"]] if element.get("initial_option") else []
    return {option["value"] for option in [*one, *element.get("initial_options", [])]}


def _overflow(element: Json, block_id: str, frame: Frame) -> Html:
    more = words_of(frame.viewer)["more"]
    attributes: Attributes = {
        "class": "sl-select sl-overflow",
        "aria-label": more,
        **about(element, block_id, frame),
    }
    return tag("select", attributes, tag("option", {"value": ""}, "⋯"), _options(element, frame, ()))


def _ticks(element: Json, block_id: str, frame: Frame) -> Html:
    kind = "radio" if element["type"] == "radio_buttons" else "checkbox"
    ticked = _initially(element)
    boxes = []
    for option in element["options"]:
        attributes: Attributes = {
            "type": kind,
            "name": block_id,
            "value": option["value"],
            "checked": option["value"] in ticked,
            **about(element, block_id, frame),
        }
        more = option.get("description")
        described = tag("small", {"class": "sl-tick-more"}, text_html(more, frame)) if more else NOTHING
        words = tag("span", None, text_html(option["text"], frame), described)
        boxes.append(tag("label", {"class": "sl-tick"}, tag("input", attributes), words))
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
    value = frame.values.get(block_id) or _initial(element, frame)
    max_length = element.get("max_length")
    attributes: Attributes = {
        "class": "sl-input",
        "name": block_id,
        "placeholder": element.get("placeholder", {}).get("text"),
        "maxlength": str(max_length) if max_length else None,
        "autofocus": bool(element.get("focus_on_load")),
        "dir": "auto",
        **about(element, block_id, frame),
    }
    if element.get("multiline"):
        return tag("textarea", {**attributes, "rows": "4"}, value)
    kind = _INPUT_TYPES.get(element["type"], "text")
    return tag("input", {**attributes, "type": kind, "value": value})


def _initial(element: Json, frame: Frame) -> str:
    """The value for the input: local time in the viewer's zone."""
    initial = element.get(INITIAL_KEY[STATE_KEY[element["type"]]])
    if initial is None:
        return ""
    if element["type"] != "datetimepicker":
        return str(initial)
    return f"{datetime.fromtimestamp(int(initial), UTC).astimezone(frame.viewer.zone):%Y-%m-%dT%H:%M}"


def _pick(names: Mapping[str, str], sign: str, element: Json, block_id: str, frame: Frame) -> Html:
    """One of the workspace's people or channels."""
    chosen = frame.values.get(block_id) or element.get(INITIAL_KEY[STATE_KEY[element["type"]]])
    placeholder = element.get("placeholder", {}).get("text", "…")
    attributes: Attributes = {
        "class": "sl-select",
        "name": block_id,
        "aria-label": None if frame.labelled else placeholder,
        **about(element, block_id, frame),
    }
    empty = tag("option", {"value": ""}, placeholder)
    options = (
        tag("option", {"value": id_, "selected": id_ == chosen}, f"{sign}{name}")
        for id_, name in names.items()
    )
    return tag("select", attributes, empty, *options)


def _person(element: Json, block_id: str, frame: Frame) -> Html:
    return _pick(frame.viewer.users, "@", element, block_id, frame)


def _place(element: Json, block_id: str, frame: Frame) -> Html:
    return _pick(frame.viewer.channels, "#", element, block_id, frame)


def _unknown(element: Json, block_id: str, frame: Frame) -> Html:
    return tag("span", {"class": "sl-unknown"}, f"[{element['type']}]")


Renderer = Callable[[Json, str, Frame], Html]

RENDERERS: Final[dict[str, Renderer]] = {
    "button": _button,
    "image": _image,
    "static_select": _select,
    "multi_static_select": _select,
    "overflow": _overflow,
    "checkboxes": _ticks,
    "radio_buttons": _ticks,
    "plain_text_input": _typing,
    "users_select": _person,
    "channels_select": _place,
    "conversations_select": _place,
    **dict.fromkeys(_INPUT_TYPES, _typing),
}
