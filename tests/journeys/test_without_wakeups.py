"""With every wakeup lost, polling still finds all work."""

import pytest

from app.sandbox.people import MINA, OLU
from app.workers.wakeups import Wakeups
from tests.harness import Harness
from tests.journeys.test_switch_lifecycle import CANARY
from tests.journeys.undo.test_undo import undo


@pytest.fixture(autouse=True)
def _wakeups_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wakeups, "notify", lambda self, topic: None)


async def test_a_switch_is_approved_reported_shown_and_taken_back(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    await harness.until(lambda: harness.aws.calls("DescribeTargetHealth"))

    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: "10% of traffic" in harness.card_text(deployment))

    await undo(harness, OLU.id, deployment)
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    await harness.until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))
    card = harness.card(deployment)
    await harness.until(lambda: harness.slack.messages.replies(card.channel, card.ts))


async def test_a_gate_expires_at_its_deadline(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.clock.advance(minutes=56)
    assert await harness.reported(deployment) == ["Failed"]
    await harness.until(lambda: "approve" not in harness.actions(deployment))


async def test_home_is_published(harness: Harness) -> None:
    await harness.open_gate("order")
    await harness.slack.open_home_async(OLU.id)
    await harness.until(lambda: harness.slack.views.home(OLU.id) is not None)
