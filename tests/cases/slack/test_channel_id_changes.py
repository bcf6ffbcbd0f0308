"""A channel gets another id: the same ts is the same card, and a press never deletes a message."""

from typing import Any, Final

import pytest

from app.sandbox.cast import CHANNEL, GRACE, HEAD, MINA, OLU, config_text
from app.sandbox.slack.shapes import Channel, Message
from app.sandbox.stage import Stage
from tests.house import House, text_of
from tests.slack.play import Build, buttons_of, deploys

OLD: Final = Channel(id="G012Y48650T", name="deploys", is_private=True)
NEW: Final = "C012Y48650T"
CONFIG: Final = config_text().replace(f'"{CHANNEL.id}"', f'"{OLD.id}"')


def with_search(stage: Stage) -> None:
    stage.slack.people.add(OLD)


def without_search(stage: Stage) -> None:
    with_search(stage)
    stage.slack.credentials.scopes -= {"channels:history", "groups:history"}


BOTH: Final = pytest.mark.parametrize("before", [with_search, without_search])


def said_in(house: House, channel: str) -> list[Message]:
    said = house.slack.messages.in_channel(channel)
    return [message for message in said if message.by_app and not message.is_reply and not message.only_for]


async def asked(house: House) -> tuple[str, Message]:
    """A deployment, and its card in the channel's old id."""
    deployment = await house.deploy("order")
    await house.until(lambda: any("approve" in str(one.blocks) for one in said_in(house, OLD.id)))
    await house.until(lambda: not any(row["due_at"] for row in house.table("cards")))
    return deployment, said_in(house, OLD.id)[0]


def card(house: House) -> Message:
    """The only card of the first gate; a rollback has one of its own."""
    gate = str(house.rows("SELECT id FROM gates ORDER BY opened_at LIMIT 1")[0]["id"])
    (found,) = [one for one in said_in(house, NEW) if (one.metadata or {})["event_payload"] == {"gate": gate}]
    return found


def reload(house: House, text: str) -> None:
    house.stage.config_file.write_text(text, encoding="utf-8")
    house.service.reload(house.stage.config_file)


@BOTH
@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_the_card_that_is_pressed_under_its_new_id_is_the_card(
    build: Build, before: Any, action: str
) -> None:
    async with build(config=CONFIG, before=before) as house:
        deployment, old = await asked(house)
        await house.slack.change_channel_id_async(OLD.id, NEW, tell=False)

        await house.slack.press_async(OLU.id, NEW, old.ts, action)
        if action == "reject":
            await house.until(lambda: house.slack.views.top(OLU.id) is not None)
            form = house.slack.views.top(OLU.id)
            assert form is not None
            await house.slack.submit_async(OLU.id, form.id, {"reason": "not today"})

        assert await house.told(deployment) == ["Succeeded" if action == "approve" else "Failed"]
        await house.until(lambda: "took the answer" in text_of(card(house)))
        assert card(house).ts == old.ts
        assert not {"approve", "reject"} & set(buttons_of(card(house)))
        assert house.slack.calls("chat.delete") == []
        assert house.table("cards")[0]["channel"] == NEW
        await house.until(lambda: "took the answer" in thread_of(house))


def thread_of(house: House) -> str:
    return "\n".join(text_of(reply) for reply in house.slack.messages.replies(NEW, card(house).ts))


@BOTH
async def test_what_slack_tells_of_a_changed_id_is_taken_over(build: Build, before: Any) -> None:
    async with build(config=CONFIG, before=before) as house:
        deployment, old = await asked(house)

        ack = await house.slack.change_channel_id_async(OLD.id, NEW)

        assert ack is not None
        assert ack.acked
        await house.until(lambda: house.table("cards")[0]["channel"] == NEW)
        await deploys(
            house, GRACE, "freeze order for 20m stocktaking"
        )  # the configuration still has the old id
        await house.until(lambda: "stocktaking" in text_of(card(house)))
        assert card(house).ts == old.ts
        second = await house.deploy("payment")
        await house.until(lambda: any(second in text_of(one) for one in said_in(house, NEW)))
        assert len(said_in(house, NEW)) == 2
        assert house.gate(deployment)["phase"] == "awaiting"


@BOTH
async def test_a_configuration_that_names_the_new_id_moves_no_card(build: Build, before: Any) -> None:
    async with build(config=CONFIG, before=before) as house:
        deployment, old = await asked(house)
        await house.slack.change_channel_id_async(OLD.id, NEW, tell=False)
        reload(house, CONFIG.replace(OLD.id, NEW))

        await house.slack.slash_async(GRACE.id, NEW, "/deploys", "freeze order for 20m stocktaking")

        await house.until(lambda: "stocktaking" in text_of(card(house)))
        assert card(house).ts == old.ts
        assert deployment in text_of(card(house))
        assert house.slack.calls("chat.delete") == []


@BOTH
async def test_a_press_in_a_list_or_an_answer_deletes_nothing(build: Build, before: Any) -> None:
    async with build(config=CONFIG, before=before) as house:
        deployment, own = await asked(house)
        # An answer that came as a message of its own, with the buttons of a list.
        value = str(next(e["value"] for b in own.blocks for e in b.get("elements", ()) if e.get("value")))
        gate = house.gate(deployment)["id"]
        button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "approve"}
        block = {"type": "actions", "block_id": f"decide.{gate}", "elements": [button | {"value": value}]}
        listed = house.slack.place(OLD.id, "What waits", [block])

        await house.slack.press_async(MINA.id, OLD.id, listed.ts, "approve")

        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: "took the answer" in text_of(said_in(house, OLD.id)[0]))
        assert house.slack.messages.find(OLD.id, listed.ts) is not None
        assert house.slack.messages.find(OLD.id, listed.ts) == listed
        assert house.table("card_copies") == []


def test_the_cast_names_its_channel_where_this_test_replaces_it() -> None:
    assert f'"{CHANNEL.id}"' in HEAD
