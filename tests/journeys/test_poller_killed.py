"""A killed replica that polls a switch: another one takes over, and nothing is posted twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.sandbox.people import CHANNEL, OLU
from tests.harness import text_of
from tests.journeys.test_switch_lifecycle import CANARY
from tests.replicas import Fleet, fleet

pytestmark = pytest.mark.slow


@pytest.fixture
def few(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    with fleet(tmp_path, database_url) as built:
        yield built


def on_the_first_step(few: Fleet) -> bool:
    few.aws.clock.advance(0.1)
    return few.aws.share("order")["green"] == 10


def card(few: Fleet, deployment: str) -> str:
    return text_of(few.card(deployment))


def thread_text(few: Fleet, deployment: str) -> str:
    """The card's thread."""
    replies = few.slack.messages.replies(CHANNEL.id, few.card(deployment).ts)
    return "\n".join(text_of(reply) for reply in replies)


def test_a_canary_is_followed_to_its_end_by_one_replica_after_another(few: Fleet) -> None:
    (watching,) = few.start_together(1)
    deployment = few.aws.deploy("order", config=CANARY)
    few.until(lambda: few.cards() and few.count("switches WHERE hook_started_at IS NOT NULL"))
    asked = few.card(deployment)
    few.slack.press(OLU.id, asked.channel, asked.ts, "approve")
    few.until(lambda: on_the_first_step(few))
    few.until(lambda: "10% of traffic" in card(few, deployment))

    watching.kill()
    (watching,) = few.start_together(1)
    few.aws.clock.advance(5 * 60)
    few.until(lambda: "100% on green" in card(few, deployment))

    watching.kill()
    few.aws.clock.advance(6 * 60)
    few.rows("UPDATE switches SET due_at = now(), blue_until = now() RETURNING 1")
    few.start_together(1)
    few.until(lambda: "Completed" in card(few, deployment))

    few.until(lambda: "blue terminated" in thread_text(few, deployment))
    timeline = thread_text(few, deployment)
    once = ["Waiting for approval", "*Approved*", "*10%*", "*100%*", "blue terminated"]
    assert [timeline.count(part) for part in once] == [1] * len(once)
    assert few.count("audit_events WHERE kind IN ('traffic_moved', 'switched', 'switch_ended')") == 3


def test_an_undo_outlives_whoever_was_carrying_it_out(few: Fleet) -> None:
    (killed,) = few.start_together(1)
    deployment = few.aws.deploy("order", config=CANARY)
    few.until(lambda: few.cards() and few.count("switches WHERE hook_started_at IS NOT NULL"))
    asked = few.card(deployment)
    few.slack.press(OLU.id, asked.channel, asked.ts, "approve")
    few.until(lambda: on_the_first_step(few))
    few.until(lambda: "10% of traffic" in card(few, deployment))
    few.aws.faults.slow("StopDeployment", 60_000, times=1)
    few.slack.press(OLU.id, asked.channel, asked.ts, "undo")
    few.until(lambda: few.slack.views.top(OLU.id))
    form = few.slack.views.top(OLU.id)
    assert form is not None
    few.slack.submit(OLU.id, form.id, {"reason": "orders fail"})
    few.until(lambda: few.count("interventions WHERE claimed_by IS NOT NULL"))

    killed.kill()
    few.start_together(1)

    def back() -> bool:
        few.aws.clock.advance(0.2)
        return "Rolled back to blue" in card(few, deployment)

    few.until(back, 90)
    assert few.aws.share("order") == {"blue": 100, "green": 0}
    assert few.count("interventions") == 1
