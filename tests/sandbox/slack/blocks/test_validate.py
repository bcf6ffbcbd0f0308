"""What Slack refuses of blocks and views, one violation each, and what it takes."""

from typing import Any

import pytest

from app.sandbox.slack.blocks.validate import message_problems, view_problems
from tests.sandbox.slack.helpers import actions, button, modal, reason_input, section

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def header(text: Json) -> Json:
    return {"type": "header", "text": text}


def confirm(**other: Any) -> Json:
    return {
        "title": plain("Sure?"),
        "text": plain("It moves"),
        "confirm": plain("Yes"),
        "deny": plain("No"),
        **other,
    }


def option(text: str = "a", value: str = "a", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def select(options: list[Json], **more: Any) -> Json:
    return {"type": "static_select", "action_id": "pick", "options": options, **more}


GOOD = [
    [header(plain("h" * 150)), section("x" * 3000), {"type": "divider"}],
    [{"type": "section", "fields": [plain("y" * 2000)] * 10, "accessory": button()}],
    [actions(button(confirm=confirm(), style="primary"), button("reject", style="danger"))],
    [actions(*(button(f"b{n}") for n in range(25)))],
    [{"type": "context", "elements": [{"type": "mrkdwn", "text": "c"}] * 10}],
    [actions(select([option(str(n), str(n)) for n in range(100)], placeholder=plain("pick")))],
    [actions(button(value="v" * 2000, url="https://example.com/" + "p" * 100, accessibility_label="l" * 75))],
    [section(str(n)) for n in range(50)],
]

BAD = {
    "51 blocks": [section(str(n)) for n in range(51)],
    "not a list": {"type": "divider"},
    "a block that is a string": ["divider"],
    "an unknown block": [{"type": "banner"}],
    "a block that only rolls out": [{"type": "table", "rows": []}],
    "an alert in a message": [{"type": "alert", "text": plain("x")}],
    "a header of 151": [header(plain("h" * 151))],
    "a header in mrkdwn": [header({"type": "mrkdwn", "text": "h"})],
    "an empty header": [header(plain(""))],
    "an empty section": [{"type": "section"}],
    "an empty text": [section("")],
    "a text of 3001": [section("x" * 3001)],
    "a text that is null": [{"type": "section", "text": None}],
    "11 fields": [{"type": "section", "fields": [plain("f")] * 11}],
    "no fields": [{"type": "section", "fields": []}],
    "a field of 2001": [{"type": "section", "fields": [plain("f" * 2001)]}],
    "a section's stray property": [section(colour="red")],
    "emoji on mrkdwn": [{"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}}],
    "11 context elements": [{"type": "context", "elements": [plain("c")] * 11}],
    "a button in a context": [{"type": "context", "elements": [button()]}],
    "26 buttons": [actions(*(button(f"b{n}") for n in range(26)))],
    "no buttons": [{"type": "actions", "elements": []}],
    "a button text of 76": [actions(button(text=plain("b" * 76)))],
    "an empty button text": [actions(button(text=plain("")))],
    "a button in mrkdwn": [actions(button(text={"type": "mrkdwn", "text": "x"}))],
    "a value of 2001": [actions(button(value="v" * 2001))],
    "a value that is a number": [actions(button(value=7))],
    "an action id of 256": [actions(button("a" * 256))],
    "a block id of 256": [section(block_id="b" * 256)],
    "a url of 3001": [actions(button(url="https://x/" + "u" * 2991))],
    "a script as url": [actions(button(url="javascript:alert(1)"))],
    "an unknown style": [actions(button(style="default"))],
    "an accessibility label of 76": [actions(button(accessibility_label="l" * 76))],
    "two blocks with one id": [section("1", block_id="same"), section("2", block_id="same")],
    "two actions with one id": [actions(button("same"), button("same"))],
    "a confirm title of 101": [actions(button(confirm=confirm(title=plain("t" * 101))))],
    "a confirm text of 301": [actions(button(confirm=confirm(text=plain("t" * 301))))],
    "a confirm button of 31": [actions(button(confirm=confirm(confirm=plain("t" * 31))))],
    "a deny button of 31": [actions(button(confirm=confirm(deny=plain("t" * 31))))],
    "a confirm without a deny": [
        actions(button(confirm={k: v for k, v in confirm().items() if k != "deny"}))
    ],
    "a confirm of an unknown style": [actions(button(confirm=confirm(style="loud")))],
    "101 options": [actions(select([option(str(n), str(n)) for n in range(101)]))],
    "no options": [actions(select([]))],
    "neither options nor groups": [actions({"type": "static_select", "action_id": "pick"})],
    "an option text of 76": [actions(select([option("o" * 76)]))],
    "an option value of 151": [actions(select([option(value="v" * 151)]))],
    "an option description of 76": [actions(select([option(description=plain("d" * 76))]))],
    "a placeholder of 151": [actions(select([option()], placeholder=plain("p" * 151)))],
    "6 overflow options": [actions({"type": "overflow", "action_id": "o", "options": [option()] * 6})],
    "11 checkboxes": [actions({"type": "checkboxes", "action_id": "o", "options": [option()] * 11})],
    "an initial option that is no option": [
        actions(
            {
                "type": "checkboxes",
                "action_id": "o",
                "options": [option("a", "a")],
                "initial_options": [option("a", "b")],
            }
        )
    ],
    "an image without alt": [{"type": "image", "image_url": "https://x/y.png"}],
    "an image without a source": [{"type": "image", "alt_text": "y"}],
    "a picker in a section's text": [{"type": "section", "text": select([option()])}],
}

BAD_VIEWS = {
    "no title": {name: part for name, part in modal().items() if name != "title"},
    "a title of 25": modal(title=plain("t" * 25)),
    "a submit of 25": modal(submit=plain("t" * 25)),
    "a close of 25": modal(close=plain("t" * 25)),
    "a title in mrkdwn": modal(title={"type": "mrkdwn", "text": "t"}),
    "private metadata of 3001": modal(private_metadata="m" * 3001),
    "a callback id of 256": modal(callback_id="c" * 256),
    "101 blocks": modal(*(section(str(n)) for n in range(101))),
    "an input without submit": {name: part for name, part in modal().items() if name != "submit"},
    "an input without a label": modal({"type": "input", "element": reason_input()["element"]}),
    "a button as an input": modal(reason_input(element=button())),
    "a label of 2001": modal(reason_input(label=plain("l" * 2001))),
    "a max_length of 3001": modal(
        reason_input(element={"type": "plain_text_input", "action_id": "r", "max_length": 3001})
    ),
    "two with the focus": modal(
        *(
            reason_input(
                block_id=name, element={"type": "plain_text_input", "action_id": "r", "focus_on_load": True}
            )
            for name in ("one", "two")
        )
    ),
    "an unknown type": {"type": "drawer", "blocks": []},
    "a home tab with a title": {"type": "home", "title": plain("t"), "blocks": []},
    "no view": None,
}


@pytest.mark.parametrize("blocks", GOOD)
def test_what_slack_takes_is_taken(blocks: list[Json]) -> None:
    assert message_problems(blocks) == []


@pytest.mark.parametrize("blocks", BAD.values(), ids=BAD.keys())
def test_what_slack_refuses_is_refused(blocks: object) -> None:
    assert message_problems(blocks)


@pytest.mark.parametrize("view", BAD_VIEWS.values(), ids=BAD_VIEWS.keys())
def test_views_that_slack_refuses_are_refused(view: object) -> None:
    assert view_problems(view)


def test_a_good_modal_is_taken() -> None:
    assert (
        view_problems(modal(reason_input(), {"type": "alert", "text": plain("x"), "level": "warning"})) == []
    )


def test_every_problem_is_reported_with_its_place() -> None:
    blocks = [section("x" * 3001), actions(button(style="loud", value="v" * 2001))]
    assert message_problems(blocks) == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        "[ERROR] must be less than 2001 characters [json-pointer:/blocks/1/elements/0/value]",
        "[ERROR] must be one of: primary, danger [json-pointer:/blocks/1/elements/0/style]",
    ]
