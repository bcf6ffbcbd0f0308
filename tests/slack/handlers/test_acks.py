"""Every press gets its ack in time and an answer, whatever happens to the listener."""

import re

from app.sandbox.people import CHANNEL, JUN, MINA, OLU
from app.sandbox.slack.state.shapes import Message, User
from tests.harness import Harness
from tests.logs import captured_logs
from tests.postgres_line import line_to
from tests.slack.play import Build, block_actions, press_in, send, wait_for_reply, whispers

FORM = {"type": "modal", "callback_id": "reject_reason"}
SUBMITTED = {"type": "view_submission", "user": {"id": OLU.id}}
ODD = [
    block_actions({"action_id": "approve", "value": None}, user=None),
    block_actions({"action_id": "approve", "value": ["a", "list"]}, channel=None, container=None),
    block_actions({"action_id": "reject", "value": "nonsense"}, user={"id": 7}),
    block_actions({"action_id": "deploys_page.next", "value": {"an": "object"}}),
    block_actions({"action_id": "anything.else"}, container="a text", channel=[]),
    block_actions({"action_id": "details", "value": None}, container="a text", channel=[]),
    {**SUBMITTED, "view": FORM},
    {**SUBMITTED, "view": {**FORM, "state": {"values": {"reason": {"reason": 3}}}}},
    {**SUBMITTED, "view": {**FORM, "state": ["odd"]}},
]


async def test_a_payload_that_makes_no_sense_is_acked_all_the_same(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        for payload in ODD:
            status, body = await send(harness, payload)
            assert status == 200, payload
            assert "Traceback" not in body


async def test_an_exception_after_the_ack_does_not_take_it_back(build: Build) -> None:
    """A page button without a response URL: the page cannot be replaced, and the press is acked."""
    async with build(socket_mode=False) as harness:
        status, _ = await send(harness, block_actions({"action_id": "deploys_page.next", "value": "1"}))
        assert status == 200
        await wait_for_reply(harness, OLU, "Nothing is waiting")


async def test_a_listener_that_fails_says_so_with_a_number_that_is_in_the_log(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        odd = {"type": "modal", "callback_id": "reject_reason", "state": ["odd"]}
        user = {"id": OLU.id, "name": OLU.name, "team_id": OLU.team_id}
        with captured_logs("INFO") as log:
            status, _ = await send(harness, {"type": "view_submission", "user": user, "view": odd})
        assert status == 200
        told = await said_directly(harness, OLU)
        number = re.search("`([0-9a-f]{8})`", told)
        assert number is not None
        assert number[1] in log.getvalue()


async def test_a_database_failure_during_a_press_is_answered(build: Build, database_url: str) -> None:
    async with line_to(database_url) as line, build(database_url=line.url) as harness:
        harness.database_url = database_url
        deployment, _ = await harness.open_gate("order")
        await line.cut()
        pressed = await harness.approve(OLU.id, deployment)
        assert pressed.acked
        await wait_for_reply(harness, OLU, "Not recorded")
        await line.mend()
        assert (await harness.approve(OLU.id, deployment)).acked
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_slow_directory_costs_no_ack_and_the_person_is_asked_to_press_again(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.slow("users.info", 5)
    pressed = await harness.approve(OLU.id, deployment)
    assert pressed.acked
    assert pressed.ack.seconds < 3
    await wait_for_reply(harness, OLU, "couldn't identify you")
    assert harness.gate(deployment)["verdict"] is None
    harness.slack.faults.clear()
    harness.clock.advance(seconds=5)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_slow_directory_and_a_slow_record_together_still_answer_in_time(
    build: Build, database_url: str
) -> None:
    async with line_to(database_url) as line, build(database_url=line.url) as harness:
        harness.database_url = database_url
        deployment, _ = await harness.open_gate("order")
        harness.slack.faults.slow("users.info", 1.2)
        line.mute()
        pressed = await harness.approve(OLU.id, deployment)
        assert pressed.acked
        assert pressed.ack.seconds < 3
        await wait_for_reply(harness, OLU, "Not recorded")
        await line.mend()


async def test_the_first_press_needs_nothing_of_slack_but_who_pressed(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error("auth.test", "internal_error", times=None)
    harness.slack.faults.slow("auth.test", 5)
    assert (await harness.approve(MINA.id, deployment)).acked
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_an_old_button_that_nobody_knows_any_more_is_acked_and_answered(harness: Harness) -> None:
    card = old_card(harness, "approve_v1")
    for person in (OLU, JUN):
        assert (await press_in(harness, card, person, "approve_v1")).acked
        await wait_for_reply(harness, person, "/deploys")


async def test_a_link_button_is_acked_and_needs_no_words(harness: Harness) -> None:
    card = old_card(harness, "console", url="https://example.com/")
    assert (await press_in(harness, card, OLU, "console")).acked
    deployment, _ = await harness.open_gate("order")
    await harness.approve(JUN.id, deployment)
    await wait_for_reply(harness, JUN, "order")
    assert whispers(harness, OLU) == []


async def test_a_form_of_an_older_release_says_that_it_no_longer_counts(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        view = {
            "id": "V1",
            "type": "modal",
            "callback_id": "reject_v1",
            "state": {"values": {}},
            "private_metadata": "x",
        }
        user = {"id": OLU.id, "name": OLU.name, "team_id": OLU.team_id}
        status, body = await send(harness, {"type": "view_submission", "user": user, "view": view})
        assert status == 200
        assert "has expired" in body
        closed = await send(harness, {"type": "view_closed", "user": user, "view": view})
        assert closed[0] == 200


async def said_directly(harness: Harness, user: User) -> str:
    """What the app wrote to somebody in their own conversation."""

    def said() -> list[str]:
        channel = harness.slack.people.direct_channel(user)
        return [message.text for message in harness.slack.messages.in_channel(channel.id)]

    await harness.until(said)
    return "\n".join(said())


def old_card(harness: Harness, action: str, **more: str) -> Message:
    """A card of an earlier release."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Old"}, "action_id": action}
    block = {"type": "actions", "elements": [{**button, "value": "17", **more}]}
    return harness.slack.place(CHANNEL.id, "order asks", [block])
