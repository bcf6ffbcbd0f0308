"""Block Kit's smaller parts and their limits: texts, confirm dialogs, options, elements.

https://docs.slack.dev/reference/block-kit/composition-objects and …/block-elements.
"""

from typing import Any, Final

from app.sandbox.slack.blocks.rules import (
    IDENTIFIER,
    Rule,
    also,
    anything,
    boolean,
    by_type,
    http_url,
    integer,
    items,
    object_with,
    one_of,
    string,
)

STYLES: Final = one_of("primary", "danger")


def _plain_object(max_length: int) -> Rule:
    return object_with(
        {"type": anything, "text": string(max_length), "emoji": boolean}, required=("type", "text")
    )


def plain_text(max_length: int) -> Rule:
    return by_type({"plain_text": _plain_object(max_length)})


def any_text(max_length: int = 3000) -> Rule:
    mrkdwn = object_with(
        {"type": anything, "text": string(max_length), "verbatim": boolean}, required=("type", "text")
    )
    return by_type({"plain_text": _plain_object(max_length), "mrkdwn": mrkdwn})


CONFIRM: Final = object_with(
    {
        "title": plain_text(100),
        "text": any_text(300),
        "confirm": plain_text(30),
        "deny": plain_text(30),
        "style": STYLES,
    },
    required=("title", "text", "confirm", "deny"),
)


def _option(*, text: Rule, url: bool = False) -> Rule:
    known = {"text": text, "value": string(150), "description": any_text(75)}
    return object_with(known | ({"url": http_url(3000)} if url else {}), required=("text", "value"))


OPTION: Final = _option(text=plain_text(75))
RICH_OPTION: Final = _option(text=any_text(75))
OPTION_GROUP: Final = object_with(
    {"label": plain_text(75), "options": items(OPTION, max_items=100)}, required=("label", "options")
)


def _element(fields: dict[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    common: dict[str, Rule] = {"type": anything, "action_id": IDENTIFIER}
    return object_with(common | fields, required=("type", *required))


def _options_or_groups(element: dict[str, Any]) -> str | None:
    if ("options" in element) == ("option_groups" in element):
        return "must define either options or option_groups"
    return None


def _chosen_of_options(element: dict[str, Any]) -> str | None:
    """What is chosen at first is one of the options, word for word."""
    groups = element.get("option_groups") or []
    grouped = [one for group in groups if isinstance(group, dict) for one in group.get("options") or []]
    chosen = [element["initial_option"]] if "initial_option" in element else []
    strays = [
        one
        for one in [*chosen, *(element.get("initial_options") or [])]
        if one not in [*(element.get("options") or []), *grouped]
    ]
    return "initial options must be among the options" if strays else None


_PLACEHOLDER: Final[dict[str, Rule]] = {
    "placeholder": plain_text(150),
    "confirm": CONFIRM,
    "focus_on_load": boolean,
}
_LISTED: Final[dict[str, Rule]] = _PLACEHOLDER | {
    "options": items(OPTION, max_items=100),
    "option_groups": items(OPTION_GROUP, max_items=100),
}
_TICKED: Final[dict[str, Rule]] = {
    "options": items(RICH_OPTION, max_items=10),
    "confirm": CONFIRM,
    "focus_on_load": boolean,
}
_TYPED: Final[dict[str, Rule]] = {
    "placeholder": plain_text(150),
    "initial_value": string(3000, min_length=0),
    "focus_on_load": boolean,
    "dispatch_action_config": anything,
}

BUTTON: Final = _element(
    {
        "text": plain_text(75),
        "value": string(2000, min_length=0),
        "url": http_url(3000),
        "style": STYLES,
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
    required=("text",),
)
IMAGE: Final = object_with(
    {"type": anything, "image_url": http_url(3000), "alt_text": string(2000)},
    required=("image_url", "alt_text"),
)

PICKERS: Final[dict[str, Rule]] = {
    "static_select": also(
        also(_element(_LISTED | {"initial_option": OPTION}), _options_or_groups), _chosen_of_options
    ),
    "multi_static_select": also(
        also(
            _element(
                _LISTED
                | {"initial_options": items(OPTION, max_items=100), "max_selected_items": integer(1, 100)}
            ),
            _options_or_groups,
        ),
        _chosen_of_options,
    ),
    "external_select": _element(_PLACEHOLDER | {"initial_option": OPTION, "min_query_length": anything}),
    "users_select": _element(_PLACEHOLDER | {"initial_user": string(255)}),
    "conversations_select": _element(
        _PLACEHOLDER | dict.fromkeys(("initial_conversation", "filter", "response_url_enabled"), anything)
    ),
    "channels_select": _element(
        _PLACEHOLDER | dict.fromkeys(("initial_channel", "response_url_enabled"), anything)
    ),
    "checkboxes": also(
        _element(_TICKED | {"initial_options": items(RICH_OPTION, max_items=10)}, required=("options",)),
        _chosen_of_options,
    ),
    "radio_buttons": also(
        _element(_TICKED | {"initial_option": RICH_OPTION}, required=("options",)), _chosen_of_options
    ),
    "datepicker": _element(_PLACEHOLDER | {"initial_date": string(10)}),
    "timepicker": _element(_PLACEHOLDER | dict.fromkeys(("initial_time", "timezone"), anything)),
    "datetimepicker": _element({"confirm": CONFIRM, "focus_on_load": boolean, "initial_date_time": anything}),
}
OVERFLOW: Final = _element(
    {"options": items(_option(text=plain_text(75), url=True), max_items=5), "confirm": CONFIRM},
    required=("options",),
)
TYPING: Final[dict[str, Rule]] = {
    "plain_text_input": _element(
        _TYPED
        | {
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        }
    ),
    "email_text_input": _element(_TYPED),
    "url_text_input": _element(_TYPED),
    "number_input": _element(
        _TYPED | {"is_decimal_allowed": boolean, "min_value": anything, "max_value": anything},
        required=("is_decimal_allowed",),
    ),
}

PRESSABLE: Final[dict[str, Rule]] = {"button": BUTTON, "overflow": OVERFLOW, **PICKERS}
