"""A harness whose admin lives in Seoul, and what a freeze that she declares becomes."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.people import CHANNEL, GRACE
from tests.harness import Harness, text_of

SEOUL = ZoneInfo("Asia/Seoul")


async def say(harness: Harness, words: str, user: str = GRACE.id) -> str:
    """`/deploys words`, and the answer."""
    answered = await harness.slack.slash_async(user, CHANNEL.id, "/deploys", words)
    assert answered.ack.acked, answered
    assert answered.problems == ()
    assert answered.message is not None, answered
    return text_of(answered.message)


async def frozen(harness: Harness, words: str) -> tuple[str, dict[str, Any] | None]:
    """The answer to `/deploys freeze …` and the freeze in the record, lifted again; None: nothing was frozen."""
    said = await say(harness, f"freeze {words}")
    rows = harness.rows("SELECT * FROM freezes WHERE ended_at IS NULL")
    if rows:
        await say(harness, "unfreeze all")
    assert len(rows) <= 1
    return said, rows[0] if rows else None


def in_seoul(at: datetime) -> str:
    """A time as it is written there."""
    return at.astimezone(SEOUL).strftime("%a %H:%M")
