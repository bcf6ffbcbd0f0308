"""Validates blocks and views as Slack does: https://docs.slack.dev/reference/block-kit/blocks, …/reference/views.

Blocks that roll out by phases (table, card, container …) count as unknown: a client may refuse them.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.sandbox.slack.blocks.block_parts import IMAGE, PICKERS, PRESSABLE, TYPING, any_text, plain_text
from app.sandbox.slack.blocks.rules import (
    IDENTIFIER,
    Report,
    Rule,
    also,
    anything,
    boolean,
    by_type,
    http_url,
    items,
    object_with,
    one_of,
    string,
)

MAX_VIEW_BYTES: Final = 250_000
"""Bytes of JSON."""


def _block(fields: dict[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    common: dict[str, Rule] = {"type": anything, "block_id": IDENTIFIER}
    return object_with(common | fields, required=("type", *required))


def _says_something(section: dict[str, Any]) -> str | None:
    return None if "text" in section or "fields" in section else "must define either text or fields"


def _has_a_source(image: dict[str, Any]) -> str | None:
    if ("image_url" in image) == ("slack_file" in image):
        return "must define either image_url or slack_file"
    return None


COMMON: Final[dict[str, Rule]] = {
    "header": _block({"text": plain_text(150)}, required=("text",)),
    "section": also(
        _block(
            {
                "text": any_text(3000),
                "fields": items(any_text(2000), max_items=10),
                "accessory": by_type({"image": IMAGE, **PRESSABLE}),
                "expand": boolean,
            }
        ),
        _says_something,
    ),
    "context": _block(
        {
            "elements": items(
                by_type({"image": IMAGE, "mrkdwn": any_text(3000), "plain_text": any_text(3000)}),
                max_items=10,
            )
        },
        required=("elements",),
    ),
    "actions": _block({"elements": items(by_type(PRESSABLE), max_items=25)}, required=("elements",)),
    "divider": _block({}),
    "image": also(
        _block(
            {
                "image_url": http_url(3000),
                "slack_file": anything,
                "alt_text": string(2000),
                "title": plain_text(2000),
            },
            required=("alt_text",),
        ),
        _has_a_source,
    ),
    "input": _block(
        {
            "label": plain_text(2000),
            "hint": plain_text(2000),
            "element": by_type({**PICKERS, **TYPING}),
            "optional": boolean,
            "dispatch_action": boolean,
        },
        required=("label", "element"),
    ),
    "rich_text": _block({"elements": items(anything, max_items=100)}, required=("elements",)),
}
MESSAGE: Final = items(
    by_type({**COMMON, "markdown": _block({"text": string(12_000)}, required=("text",))}),
    max_items=50,
    min_items=0,
)
LEVELS: Final = one_of("default", "info", "warning", "error", "success")
ALERT: Final = _block({"text": any_text(3000), "level": LEVELS}, required=("text",))
SURFACE: Final = {
    "modal": items(by_type({**COMMON, "alert": ALERT}), max_items=100, min_items=0),
    "home": items(by_type(COMMON), max_items=100, min_items=0),
}

_ANY_VIEW: Final[dict[str, Rule]] = {
    "type": anything,
    "callback_id": IDENTIFIER,
    "external_id": string(255, min_length=0),
    "private_metadata": string(3000, min_length=0),
}
_MODAL: Final[dict[str, Rule]] = {
    "title": plain_text(24),
    "submit": plain_text(24),
    "close": plain_text(24),
    **dict.fromkeys(("clear_on_close", "notify_on_close", "submit_disabled"), boolean),
}
VIEWS: Final = {
    "modal": object_with({**_ANY_VIEW, **_MODAL, "blocks": SURFACE["modal"]}, required=("title", "blocks")),
    "home": object_with({**_ANY_VIEW, "blocks": SURFACE["home"]}, required=("blocks",)),
}


def message_problems(blocks: object) -> list[str]:
    """What is wrong with a message's blocks, in Slack's words; nothing: they may be posted."""
    problems, report = _collector()
    MESSAGE(blocks, "/blocks", report)
    _duplicates(blocks, "/blocks", report)
    return problems


def view_problems(view: object) -> list[str]:
    """What is wrong with a modal or a Home tab."""
    problems, report = _collector()
    if not isinstance(view, dict):
        return ["[ERROR] must provide an object [json-pointer:/view]"]
    kind = view.get("type")
    if kind not in SURFACE:
        return [f"[ERROR] unsupported type: {kind} [json-pointer:/view/type]"]
    VIEWS[kind](view, "/view", report)
    blocks = view.get("blocks")
    _duplicates(blocks, "/view/blocks", report)
    _inputs(view, report)
    return problems


def view_is_too_large(view: Mapping[str, Any]) -> bool:
    return len(json.dumps(view, ensure_ascii=False).encode()) > MAX_VIEW_BYTES


def elements_of(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every element of a block that a person can press or fill in."""
    inner = block.get("elements")
    candidates = [*(inner if isinstance(inner, list) else []), block.get("accessory"), block.get("element")]
    for element in candidates:
        if isinstance(element, dict) and element.get("type") in {*PRESSABLE, *TYPING}:
            yield element


def _collector() -> tuple[list[str], Report]:
    problems: list[str] = []

    def report(what: str, at: str) -> None:
        problems.append(f"[ERROR] {what} [json-pointer:{at}]")

    return problems, report


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _duplicates(blocks: object, at: str, report: Report) -> None:
    known = _objects(blocks)
    for twice in _twice([block.get("block_id") for block in known]):
        report(f"`block_id` already exists: {twice}", at)
    for index, block in enumerate(known):
        for twice in _twice([element.get("action_id") for element in elements_of(block)]):
            report(f"`action_id` already exists: {twice}", f"{at}/{index}/elements")


def _twice(ids: Sequence[object]) -> list[str]:
    counted = Counter(one for one in ids if isinstance(one, str))
    return [one for one, times in counted.items() if times > 1]


def _inputs(view: Mapping[str, Any], report: Report) -> None:
    """A modal with inputs needs a submit button; at most one element takes the focus."""
    blocks = _objects(view.get("blocks"))
    if view["type"] == "modal" and "submit" not in view and any(b.get("type") == "input" for b in blocks):
        report("missing required field: submit (the view has an input block)", "/view")
    focused = [one for block in blocks for one in elements_of(block) if one.get("focus_on_load")]
    if len(focused) > 1:
        report("only one element may have focus_on_load", "/view/blocks")
