"""A modal's input fields: initial values, entered values, and client-side errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.state.shapes import Json, View

Filling = str | Sequence[str]
"""Text, a date, seconds since the epoch or an option's value; several values for checkboxes and multi-selects."""

STATE_KEY: Final = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "external_select": "selected_option",
    "multi_static_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
INITIAL_KEY: Final = {
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_channel": "initial_channel",
    "selected_conversation": "initial_conversation",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}


def fields_of(view: View) -> Iterator[tuple[Json, Json]]:
    """Every block with something to fill in, and its element."""
    for block in view.body["blocks"]:
        inner = [block.get("element"), block.get("accessory"), *block.get("elements", [])]
        for element in inner:
            if isinstance(element, dict) and element.get("type") in STATE_KEY:
                yield block, element


def filled_in(view: View, values: Mapping[str, Filling]) -> Json:
    """`view.state.values` as Slack sends it. `values` by block id or action id; the rest stays as it is.

    Raises `NotInWorkspace` for a name that the view does not have.
    """
    state: dict[str, Json] = {}
    used: set[str] = set()
    for block, element in fields_of(view):
        name = block["block_id"] if block["block_id"] in values else element["action_id"]
        used.add(name)
        state.setdefault(block["block_id"], {})[element["action_id"]] = _state(element, values.get(name))
    unknown = set(values) - used
    if unknown:
        raise NotInWorkspace(f"the view has no field {', '.join(sorted(unknown))}")
    return state


def client_errors(view: View, state: Mapping[str, Any]) -> dict[str, str]:
    """What Slack's client says without asking the app: block id -> text."""
    errors: dict[str, str] = {}
    for block, element in fields_of(view):
        if block["type"] != "input":
            continue
        value = state[block["block_id"]][element["action_id"]].get(STATE_KEY[element["type"]])
        wrong = _input_error(value, element, optional=bool(block.get("optional")))
        if wrong:
            errors[block["block_id"]] = wrong
    return errors


def options_of(element: Json) -> list[Json]:
    """Includes the options in groups."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def chosen(element: Json, value: str) -> Json:
    """The option with this value, as payloads carry it."""
    for option in options_of(element):
        if option["value"] == value:
            return option
    return {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}


def _state(element: Json, filling: Filling | None) -> Json:
    kind = element["type"]
    key = STATE_KEY[kind]
    if filling is None:
        initial = element.get(INITIAL_KEY[key], [] if key == "selected_options" else None)
        return {"type": kind, key: initial}
    if key == "selected_option":
        return {"type": kind, key: chosen(element, str(filling)) if filling else None}
    if key == "selected_options":
        values = [filling] if isinstance(filling, str) else filling
        return {"type": kind, key: [chosen(element, value) for value in values]}
    if key == "selected_date_time":
        return {"type": kind, key: int(str(filling)) if filling else None}
    # Slack sends null, not an empty string, for a text that was left empty.
    return {"type": kind, key: filling or None}


def _input_error(value: Any, element: Json, *, optional: bool) -> str:
    if not value:
        return "" if optional else "Please complete this required field."
    length = len(value) if isinstance(value, str) else 0
    max_length, min_length = element.get("max_length"), element.get("min_length")
    if max_length is not None and length > max_length:
        return f"This has too many characters; at most {max_length}."
    if min_length is not None and length < min_length:
        return f"This needs at least {min_length} characters."
    return ""
