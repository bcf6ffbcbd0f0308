"""Replicas that are killed while a rollback starts leave one card, and each line in its thread once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.sandbox.people import CHANNEL, OLU
from tests.harness import text_of
from tests.replicas import Fleet, fleet

pytestmark = pytest.mark.slow


@pytest.fixture
def few(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    with fleet(tmp_path, database_url) as built:
        yield built


def thread_text(few: Fleet, deployment: str) -> str:
    replies = few.slack.messages.replies(CHANNEL.id, few.card(deployment).ts)
    return "\n".join(text_of(reply) for reply in replies)


def test_a_rejections_rollback_outlives_whoever_opened_its_gate(few: Fleet) -> None:
    (killed,) = few.start_together(1)
    deployment = few.aws.deploy("order")
    few.until(lambda: few.cards() and few.count("switches WHERE hook_started_at IS NOT NULL"))
    card = few.card(deployment)
    few.slack.press(OLU.id, card.channel, card.ts, "reject")
    few.until(lambda: few.slack.views.top(OLU.id))
    form = few.slack.views.top(OLU.id)
    assert form is not None
    few.slack.submit(OLU.id, form.id, {"reason": "orders fail"})
    few.until(lambda: few.aws.answers(deployment) == ["Failed"])

    def rollback_opened() -> bool:
        few.aws.clock.advance(0.1)
        return few.count("gates") == 2

    few.until(rollback_opened)
    killed.kill()
    few.start_together(2)
    rollback = few.aws.deployment(deployment).rollback_id or ""

    def rolled_back() -> bool:
        few.aws.clock.advance(0.2)
        return f"Rolled back by the deployment {rollback}" in thread_text(few, deployment)

    few.until(rolled_back, 60)
    few.until(lambda: not few.count("threads WHERE due_at IS NOT NULL"))
    assert thread_text(few, deployment).count("Rolled back by") == 1
    assert len(few.cards()) == 1
    assert few.aws.answers(rollback) == ["Succeeded"]
