"""Every handler checks the account as a vote does: guests, bots, strangers, the deactivated and other workspaces."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from app.sandbox.people import CHANNEL, OLU, PEOPLE
from app.sandbox.slack.state.shapes import User
from tests.harness import Harness, text_of, texts_in
from tests.slack.play import (
    GUEST,
    OUTSIDERS,
    STRANGER,
    Build,
    block_actions,
    buttons_of,
    deploys,
    naming,
    send,
    wait_for_reply,
    whispers,
)

ONLY = "Only full workspace members"
WORDS = ["", "order", "help", "who order", "approve order", "freeze order 1h x", "undo order"]
BUTTONS = ["deploys_page.next", "details", "approve_several", "run_checks", "break_glass", "undo", "finish"]


def as_user(user: User) -> dict[str, Any]:
    return {"user": {"id": user.id, "name": user.name, "team_id": user.team_id}, "team": {"id": "T0SANDBOX"}}


def press_by(user: User, action: str, value: str) -> Mapping[str, Any]:
    return block_actions({"action_id": action, "value": value}, **as_user(user))


def submission(user: User, callback: str, metadata: str, values: dict[str, Any]) -> Mapping[str, Any]:
    """A submission of any form, as Slack sends it."""
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": callback,
        "private_metadata": metadata,
        "state": {"values": values},
    }
    return {"type": "view_submission", "view": view, **as_user(user)}


def typed_in(block: str, text: str) -> dict[str, Any]:
    return {block: {block: {"type": "plain_text_input", "value": text}}}


def ticked(value: str) -> dict[str, Any]:
    option = {"text": {"type": "plain_text", "text": "order"}, "value": value}
    return {"gates.0": {"gates.0": {"type": "checkboxes", "selected_options": [option]}}}


def untouched(harness: Harness, deployment: str) -> bool:
    row = harness.gate(deployment)
    return (
        row["phase"] == "awaiting"
        and not harness.rows("SELECT 1 FROM votes")
        and not harness.aws.answers(deployment)
    )


@pytest.mark.parametrize("words", WORDS)
async def test_the_command_shows_outsiders_nothing(build: Build, words: str) -> None:
    async with build(users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as harness:
        deployment, _ = await harness.open_gate("order")
        for outsider in OUTSIDERS:
            said = text_of(await deploys(harness, outsider, words))
            assert ONLY in said
            assert deployment not in said
            assert harness.slack.views.top(outsider.id) is None
        assert harness.rows("SELECT 1 FROM freezes") == []
        assert untouched(harness, deployment)


@pytest.mark.parametrize("action", BUTTONS)
async def test_no_button_shows_outsiders_anything(build: Build, action: str) -> None:
    async with build(socket_mode=False, users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as harness:
        deployment, _ = await harness.open_gate("order")
        action_value = f"{harness.gate(deployment)['id']}.{harness.gate(deployment)['prompt_version']}"
        for outsider in OUTSIDERS:
            value = "0" if action.startswith("deploys_page") else action_value
            assert (await send(harness, press_by(outsider, action, value)))[0] == 200
            if not outsider.deleted:  # whom Slack lets nobody write to
                assert deployment not in await wait_for_reply(harness, outsider, ONLY)
            assert harness.slack.views.top(outsider.id) is None
        assert untouched(harness, deployment)


@pytest.mark.parametrize(
    ("callback", "values"),
    [
        ("reject_reason", typed_in("reason", "no")),
        ("approve_reason", typed_in("reason", "yes")),
        ("break_glass_reason", typed_in("glass_reason", "now")),
        ("undo_reason", typed_in("reason", "back")),
        ("approve_several", None),
    ],
)
async def test_no_form_of_an_outsider_counts(
    build: Build, callback: str, values: dict[str, Any] | None
) -> None:
    async with build(socket_mode=False, users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as harness:
        deployment, _ = await harness.open_gate("order")
        action_value = f"{harness.gate(deployment)['id']}.{harness.gate(deployment)['prompt_version']}"
        metadata = f"{action_value}/stop" if callback == "undo_reason" else action_value
        for outsider in OUTSIDERS:
            status, body = await send(
                harness,
                submission(outsider, callback, metadata, ticked(action_value) if values is None else values),
            )
            assert status == 200
            assert ONLY in "\n".join(texts_in(json.loads(body)["view"]["blocks"]))
        assert untouched(harness, deployment)


UNKNOWN = "couldn't identify you"
NOT_KNOWN = [OLU, GUEST, STRANGER]


@pytest.fixture
async def unknowing(build: Build) -> AsyncIterator[Harness]:
    """A harness that has looked nobody up yet, and whose Slack does not answer users.info any more."""
    async with build(users=(*PEOPLE, GUEST, STRANGER), config=naming(GUEST, STRANGER)) as harness:
        harness.slack.faults.error("users.info", "internal_error", times=None)
        yield harness


@pytest.mark.parametrize("words", WORDS)
async def test_the_command_shows_nothing_to_an_account_unknown_to_slack(
    unknowing: Harness, words: str
) -> None:
    deployment, _ = await unknowing.open_gate("order")
    for person in NOT_KNOWN:
        said = await deploys(unknowing, person, words)
        assert UNKNOWN in text_of(said)
        assert deployment not in text_of(said)
        assert buttons_of(said) == {}
        assert unknowing.slack.views.top(person.id) is None
    assert unknowing.rows("SELECT 1 FROM freezes") == []
    assert untouched(unknowing, deployment)


@pytest.mark.parametrize("action", BUTTONS)
async def test_no_button_shows_anything_to_an_account_unknown_to_slack(build: Build, action: str) -> None:
    people = (*PEOPLE, GUEST, STRANGER)
    async with build(socket_mode=False, users=people, config=naming(GUEST, STRANGER)) as harness:
        harness.slack.faults.error("users.info", "internal_error", times=None)
        deployment, _ = await harness.open_gate("order")
        action_value = f"{harness.gate(deployment)['id']}.{harness.gate(deployment)['prompt_version']}"
        for person in NOT_KNOWN:
            value = "0" if action.startswith("deploys_page") else action_value
            assert (await send(harness, press_by(person, action, value)))[0] == 200
            assert deployment not in await wait_for_reply(harness, person, UNKNOWN)
            assert harness.slack.views.top(person.id) is None
        assert untouched(harness, deployment)


async def test_home_shows_nothing_to_whom_slack_does_not_know(unknowing: Harness) -> None:
    deployment, _ = await unknowing.open_gate("order")
    for person in NOT_KNOWN:
        assert deployment not in await home_of(unknowing, person, UNKNOWN)


async def test_who_was_known_lately_reads_and_decides_while_slack_does_not_answer(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await deploys(harness, OLU)
    await harness.until(lambda: "details" in str(harness.card(deployment).blocks))
    harness.slack.faults.error("users.info", "internal_error", times=None)
    harness.clock.advance(minutes=50)
    assert deployment in text_of(await deploys(harness, OLU))
    await harness.press(OLU.id, deployment, "details")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def home_of(harness: Harness, user: User, words: str = ONLY) -> str:
    """What somebody's Home says, once it was published."""
    await harness.slack.open_home_async(user.id)
    await harness.until(lambda: harness.slack.views.home(user.id) is not None)
    shown = harness.slack.views.home(user.id)
    assert shown is not None
    said = "\n".join(texts_in(shown.body["blocks"]))
    assert words in said
    return said


async def test_home_shows_outsiders_nothing(build: Build) -> None:
    async with build(users=(*PEOPLE, *OUTSIDERS), config=naming(*OUTSIDERS)) as harness:
        deployment, _ = await harness.open_gate("order")
        for outsider in OUTSIDERS:
            assert deployment not in await home_of(harness, outsider)


async def test_a_command_from_another_workspace_is_a_strangers(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        form = {
            "command": "/deploys",
            "text": "",
            "user_id": PEOPLE[1].id,
            "user_name": "olu",
            "team_id": "T9OTHER",
            "channel_id": CHANNEL.id,
        }
        status, body = await send(harness, urlencode(form))
        assert status == 200
        assert ONLY in body
        assert deployment not in body
        assert whispers(harness, PEOPLE[1]) == []
