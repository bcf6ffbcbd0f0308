"""Every press gets its ack in time and an answer, whatever happens to the listener."""

import re

from app.sandbox.cast import CHANNEL, JUN, MINA, OLU
from app.sandbox.slack.shapes import Message, User
from tests.house import House
from tests.logs import listening
from tests.postgres_line import line_to
from tests.slack.play import Build, block_actions, is_told, press_in, send, whispers

FORM = {"type": "modal", "callback_id": "reject_reason"}
SUBMITTED = {"type": "view_submission", "user": {"id": OLU.id}}
ODD = [
    block_actions({"action_id": "approve", "value": None}, user=None),
    block_actions({"action_id": "approve", "value": ["a", "list"]}, channel=None, container=None),
    block_actions({"action_id": "reject", "value": "nonsense"}, user={"id": 7}),
    block_actions({"action_id": "deploys_page.next", "value": {"an": "object"}}),
    block_actions({"action_id": "anything.else"}, container="a text", channel=[]),
    {**SUBMITTED, "view": FORM},
    {**SUBMITTED, "view": {**FORM, "state": {"values": {"reason": {"reason": 3}}}}},
    {**SUBMITTED, "view": {**FORM, "state": ["odd"]}},
]


async def test_a_payload_that_makes_no_sense_is_acked_all_the_same(build: Build) -> None:
    async with build(socket_mode=False) as house:
        for payload in ODD:
            status, body = await send(house, payload)
            assert status == 200, payload
            assert "Traceback" not in body


async def test_an_exception_after_the_ack_does_not_take_it_back(build: Build) -> None:
    """A page button without a response URL: there is nowhere to turn the page, and the press is acked."""
    async with build(socket_mode=False) as house:
        status, _ = await send(house, block_actions({"action_id": "deploys_page.next", "value": "1"}))
        assert status == 200
        await is_told(house, OLU, "Nothing waits")


async def test_a_listener_that_fails_says_so_with_a_number_that_is_in_the_log(build: Build) -> None:
    async with build(socket_mode=False) as house:
        odd = {"type": "modal", "callback_id": "reject_reason", "state": ["odd"]}
        user = {"id": OLU.id, "name": OLU.name, "team_id": OLU.team_id}
        with listening("INFO") as log:
            status, _ = await send(house, {"type": "view_submission", "user": user, "view": odd})
        assert status == 200
        told = await said_directly(house, OLU)
        number = re.search("`([0-9a-f]{8})`", told)
        assert number is not None
        assert number[1] in log.getvalue()


async def test_the_database_going_away_under_a_press_is_answered(build: Build, record_url: str) -> None:
    async with line_to(record_url) as line, build(record_url=line.url) as house:
        house.database_url = record_url
        deployment, _ = await house.ask("order")
        await line.cut()
        pressed = await house.approve(OLU.id, deployment)
        assert pressed.acked
        await is_told(house, OLU, "Nothing was recorded")
        await line.mend()
        assert (await house.approve(OLU.id, deployment)).acked
        assert await house.told(deployment) == ["Succeeded"]


async def test_a_slow_directory_costs_no_ack_and_the_person_is_asked_to_press_again(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.slow("users.info", 5)
    pressed = await house.approve(OLU.id, deployment)
    assert pressed.acked
    assert pressed.ack.seconds < 3
    await is_told(house, OLU, "could not tell me who you are")
    assert house.gate(deployment)["verdict"] is None
    house.slack.faults.clear()
    house.clock.advance(seconds=5)
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_a_slow_directory_and_a_slow_record_together_still_answer_in_time(
    build: Build, record_url: str
) -> None:
    async with line_to(record_url) as line, build(record_url=line.url) as house:
        house.database_url = record_url
        deployment, _ = await house.ask("order")
        house.slack.faults.slow("users.info", 1.2)
        line.mute()
        pressed = await house.approve(OLU.id, deployment)
        assert pressed.acked
        assert pressed.ack.seconds < 3
        await is_told(house, OLU, "Nothing was recorded")
        await line.mend()


async def test_the_first_press_needs_nothing_of_slack_but_who_pressed(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.error("auth.test", "internal_error", times=None)
    house.slack.faults.slow("auth.test", 5)
    assert (await house.approve(MINA.id, deployment)).acked
    assert await house.told(deployment) == ["Succeeded"]


async def test_an_old_button_that_nobody_knows_any_more_is_acked_and_answered(house: House) -> None:
    card = old_card(house, "approve_v1")
    for person in (OLU, JUN):
        assert (await press_in(house, card, person, "approve_v1")).acked
        await is_told(house, person, "/deploys")


async def test_a_link_button_is_acked_and_needs_no_words(house: House) -> None:
    card = old_card(house, "console", url="https://example.com/")
    assert (await press_in(house, card, OLU, "console")).acked
    deployment, _ = await house.ask("order")
    await house.approve(JUN.id, deployment)
    await is_told(house, JUN, "order")
    assert whispers(house, OLU) == []


async def test_a_form_of_an_older_release_says_that_it_no_longer_counts(build: Build) -> None:
    async with build(socket_mode=False) as house:
        view = {
            "id": "V1",
            "type": "modal",
            "callback_id": "reject_v1",
            "state": {"values": {}},
            "private_metadata": "x",
        }
        user = {"id": OLU.id, "name": OLU.name, "team_id": OLU.team_id}
        status, body = await send(house, {"type": "view_submission", "user": user, "view": view})
        assert status == 200
        assert "no longer valid" in body
        closed = await send(house, {"type": "view_closed", "user": user, "view": view})
        assert closed[0] == 200


async def said_directly(house: House, user: User) -> str:
    """What the app wrote to somebody in their own conversation."""

    def said() -> list[str]:
        channel = house.slack.people.direct_channel(user)
        return [message.text for message in house.slack.messages.in_channel(channel.id)]

    await house.until(said)
    return "\n".join(said())


def old_card(house: House, action: str, **more: str) -> Message:
    """A card of an earlier release."""
    button = {"type": "button", "text": {"type": "plain_text", "text": "Old"}, "action_id": action}
    block = {"type": "actions", "elements": [{**button, "value": "17", **more}]}
    return house.slack.place(CHANNEL.id, "order asks", [block])
