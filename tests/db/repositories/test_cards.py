"""The place of a card, when the database and Slack disagree."""

from datetime import timedelta
from uuid import uuid4

from app.db.database import Database
from app.db.repositories.gates import Gates
from app.db.repositories.messages.cards import Cards
from app.flow.read_models import CardPlace
from tests.db.gate_builders import NOW, open_gate

FIRST, SECOND = CardPlace(channel="C1", ts="1.1"), CardPlace(channel="C1", ts="2.2")


async def test_a_card_that_arrives_when_nobody_posts_any_more_is_the_gates(database: Database) -> None:
    """Its replica was slow and lost the lease; the next one's post was refused."""
    gate = await open_gate(Gates(database), "d-1")
    slow = Cards(database, uuid4())
    (due,) = await slow.claim(now=NOW, limit=1)
    assert await slow.mark_posting(due, now=NOW)
    await slow.retry_later(due, error="ratelimited", uncertain=False, due_at=NOW)

    assert not await slow.mark_published(due, place=FIRST, fingerprint="f", now=NOW), "the lease is gone"
    assert await slow.register_location(gate, place=FIRST, now=NOW)

    (row,) = await database.execute("SELECT channel, ts FROM cards")
    assert (row.channel, row.ts) == (FIRST.channel, FIRST.ts)
    assert not await slow.register_location(gate, place=SECOND, now=NOW), "it has one"


async def test_a_card_newer_than_was_asked_for_is_stored_all_the_same(database: Database) -> None:
    await open_gate(Gates(database), "d-1")
    await database.execute("UPDATE gates SET version = version + 1")
    cards = Cards(database, uuid4())
    (due,) = await cards.claim(now=NOW, limit=1)

    assert await cards.mark_published(due, place=FIRST, fingerprint="f", now=NOW)

    (row,) = await database.execute("SELECT drawn_version, wanted_version, due_at FROM cards")
    assert (row.drawn_version, row.wanted_version, row.due_at) == (2, 2, None)


async def test_the_card_of_a_waiting_gate_is_sent_again_after_a_while(database: Database) -> None:
    """Slack does not report deleted messages."""
    await open_gate(Gates(database), "d-1")
    cards = Cards(database, uuid4())
    (due,) = await cards.claim(now=NOW, limit=1)
    assert await cards.mark_posting(due, now=NOW, channel="C1")
    assert await cards.mark_published(due, place=FIRST, fingerprint="f", now=NOW)

    assert await cards.republish_oldest(now=NOW + timedelta(seconds=39)) == 0
    assert await cards.republish_oldest(now=NOW + timedelta(seconds=41)) == 1
    (again,) = await cards.claim(now=NOW + timedelta(seconds=41), limit=1)
    assert (again.place, again.fingerprint) == (FIRST, None)


async def test_many_cards_are_sent_again_at_a_pace_that_slack_takes(database: Database) -> None:
    """Forty a minute by all replicas together: sixty cards, each every 90 s."""
    for number in range(60):
        await open_gate(Gates(database), f"d-{number}")
    one, other = Cards(database, uuid4()), Cards(database, uuid4())
    for due in await one.claim(now=NOW, limit=60):
        place = CardPlace(channel="C1", ts=str(due.view.id))
        assert await one.mark_published(due, place=place, fingerprint="f", now=NOW)

    assert await one.republish_oldest(now=NOW + timedelta(seconds=89)) == 0
    later = NOW + timedelta(seconds=91)
    sent = [await replica.republish_oldest(now=later) for _ in range(7) for replica in (one, other)]
    assert sent == [5] * 12 + [0] * 2


async def test_the_same_ts_under_another_id_is_the_same_card(database: Database) -> None:
    gate = await open_gate(Gates(database), "d-1")
    cards = Cards(database, uuid4())
    (due,) = await cards.claim(now=NOW, limit=1)
    assert await cards.mark_posting(due, now=NOW, channel="C1")
    assert await cards.mark_published(due, place=FIRST, fingerprint="f", now=NOW)
    moved = CardPlace(channel="C9", ts=FIRST.ts)

    assert await cards.register_location(gate, place=moved, now=NOW)

    assert await database.execute("SELECT 1 FROM card_copies") == []
    (row,) = await database.execute("SELECT channel, ts FROM cards")
    assert (row.channel, row.ts) == (moved.channel, moved.ts)
    (change,) = await database.execute("SELECT old_id, new_id FROM channel_id_changes")
    assert (change.old_id, change.new_id) == ("C1", "C9")
