"""A channel gets another id: the same ts is the same card, and a press never deletes a message."""

from typing import Any, Final

import pytest

from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL, GRACE, HEAD, MINA, OLU, config_text
from app.sandbox.slack.state.shapes import Channel, Message
from tests.harness import Harness, text_of
from tests.slack.play import Build, buttons_of, deploys

OLD: Final = Channel(id="G012Y48650T", name="deploys", is_private=True)
NEW: Final = "C012Y48650T"
CONFIG: Final = config_text().replace(f'"{CHANNEL.id}"', f'"{OLD.id}"')


def with_search(fakes: Fakes) -> None:
    fakes.slack.people.add(OLD)


def without_search(fakes: Fakes) -> None:
    with_search(fakes)
    fakes.slack.credentials.scopes -= {"channels:history", "groups:history"}


BOTH: Final = pytest.mark.parametrize("before", [with_search, without_search])


def said_in(harness: Harness, channel: str) -> list[Message]:
    said = harness.slack.messages.in_channel(channel)
    return [message for message in said if message.by_app and not message.is_reply and not message.only_for]


async def asked(harness: Harness) -> tuple[str, Message]:
    """A deployment, and its card in the channel's old id."""
    deployment = await harness.deploy("order")
    await harness.until(lambda: any("approve" in str(one.blocks) for one in said_in(harness, OLD.id)))
    await harness.until(lambda: not any(row["due_at"] for row in harness.table("cards")))
    return deployment, said_in(harness, OLD.id)[0]


def card(harness: Harness) -> Message:
    """The only card of the first gate; a rollback has one of its own."""
    gate = str(harness.rows("SELECT id FROM gates ORDER BY opened_at LIMIT 1")[0]["id"])
    (found,) = [
        one for one in said_in(harness, NEW) if (one.metadata or {})["event_payload"] == {"gate": gate}
    ]
    return found


def reload(harness: Harness, text: str) -> None:
    harness.fakes.config_file.write_text(text, encoding="utf-8")
    harness.reload_config()


@BOTH
@pytest.mark.parametrize("action", ["approve", "reject"])
async def test_the_card_that_is_pressed_under_its_new_id_is_the_card(
    build: Build, before: Any, action: str
) -> None:
    async with build(config=CONFIG, before=before) as harness:
        deployment, old = await asked(harness)
        await harness.slack.change_channel_id_async(OLD.id, NEW, notify=False)

        await harness.slack.press_async(OLU.id, NEW, old.ts, action)
        if action == "reject":
            await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
            form = harness.slack.views.top(OLU.id)
            assert form is not None
            await harness.slack.submit_async(OLU.id, form.id, {"reason": "not today"})

        assert await harness.reported(deployment) == ["Succeeded" if action == "approve" else "Failed"]
        await harness.until(lambda: "hook result" in text_of(card(harness)))
        assert card(harness).ts == old.ts
        assert not {"approve", "reject"} & set(buttons_of(card(harness)))
        assert harness.slack.calls("chat.delete") == []
        places = harness.rows("SELECT channel FROM cards WHERE gate_id = %s", harness.gate(deployment)["id"])
        assert places == [{"channel": NEW}]
        await harness.until(lambda: "Sent to CodeDeploy" in thread_of(harness))


def thread_of(harness: Harness) -> str:
    return "\n".join(text_of(reply) for reply in harness.slack.messages.replies(NEW, card(harness).ts))


@BOTH
async def test_a_channel_id_change_event_is_applied(build: Build, before: Any) -> None:
    async with build(config=CONFIG, before=before) as harness:
        deployment, old = await asked(harness)

        ack = await harness.slack.change_channel_id_async(OLD.id, NEW)

        assert ack is not None
        assert ack.acked
        await harness.until(lambda: harness.table("cards")[0]["channel"] == NEW)
        await deploys(
            harness, GRACE, "freeze order for 20m stocktaking"
        )  # the configuration still has the old id
        await harness.until(lambda: "stocktaking" in text_of(card(harness)))
        assert card(harness).ts == old.ts
        second = await harness.deploy("payment")
        await harness.until(lambda: any(second in text_of(one) for one in said_in(harness, NEW)))
        cards = [one for one in said_in(harness, NEW) if "gate" in (one.metadata or {})["event_payload"]]
        assert len(cards) == 2  # beside them stands the message that the freeze was declared
        assert harness.gate(deployment)["phase"] == "awaiting"


@BOTH
async def test_a_configuration_that_names_the_new_id_moves_no_card(build: Build, before: Any) -> None:
    async with build(config=CONFIG, before=before) as harness:
        deployment, old = await asked(harness)
        await harness.slack.change_channel_id_async(OLD.id, NEW, notify=False)
        reload(harness, CONFIG.replace(OLD.id, NEW))

        await harness.slack.slash_async(GRACE.id, NEW, "/deploys", "freeze order for 20m stocktaking")

        await harness.until(lambda: "stocktaking" in text_of(card(harness)))
        assert card(harness).ts == old.ts
        assert deployment in text_of(card(harness))
        assert harness.slack.calls("chat.delete") == []


@BOTH
async def test_a_press_in_a_list_or_an_answer_deletes_nothing(build: Build, before: Any) -> None:
    async with build(config=CONFIG, before=before) as harness:
        deployment, own = await asked(harness)
        # An answer that came as a message of its own, with the buttons of a list.
        value = str(next(e["value"] for b in own.blocks for e in b.get("elements", ()) if e.get("value")))
        gate = harness.gate(deployment)["id"]
        button = {"type": "button", "text": {"type": "plain_text", "text": "Approve"}, "action_id": "approve"}
        block = {"type": "actions", "block_id": f"decide.{gate}", "elements": [button | {"value": value}]}
        listed = harness.slack.place(OLD.id, "What waits", [block])

        await harness.slack.press_async(MINA.id, OLD.id, listed.ts, "approve")

        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: "hook result" in text_of(said_in(harness, OLD.id)[0]))
        assert harness.slack.messages.find(OLD.id, listed.ts) is not None
        assert harness.slack.messages.find(OLD.id, listed.ts) == listed
        assert harness.table("card_copies") == []


def test_the_cast_names_its_channel_where_this_test_replaces_it() -> None:
    assert f'"{CHANNEL.id}"' in HEAD
