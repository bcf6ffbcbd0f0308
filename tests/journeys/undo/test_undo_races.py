"""Races between Undo and CodeDeploy: each ends in a clear message and a correct state."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import GRACE, OLU
from tests.harness import Harness, running_harness
from tests.journeys.test_switch_lifecycle import CANARY, approved
from tests.journeys.undo.test_undo import finished, undo

PLAIN = SandboxDomain("order", 8020, auto_rollback=())
"""CodeDeploy rolls nothing back by itself here."""


@pytest.fixture
async def plain(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    async with running_harness(tmp_path, database_url, monkeypatch, domains=(PLAIN,)) as built:
        yield built


async def test_an_undo_rolls_back_also_where_codedeploy_would_not_by_itself(plain: Harness) -> None:
    deployment = await approved(plain, config=CANARY)
    plain.aws.advance_until(lambda: plain.aws.share("order")["green"] == 10)
    await plain.until(lambda: "undo" in plain.actions(deployment))

    await undo(plain, OLU.id, deployment)

    await plain.advance_until(lambda: "Rolled back to blue" in plain.card_text(deployment), 25)
    assert plain.aws.share("order") == {"blue": 100, "green": 0}


async def test_a_stop_without_a_rollback_is_shown_as_what_it_is(plain: Harness) -> None:
    """Somebody in the console was quicker, and stopped it without a rollback."""
    deployment = await approved(plain, config=CANARY)
    plain.aws.advance_until(lambda: plain.aws.share("order")["green"] == 10)
    await plain.until(lambda: "undo" in plain.actions(deployment))
    await plain.press(OLU.id, deployment, "undo")
    await plain.until(lambda: plain.slack.views.top(OLU.id) is not None)
    form = plain.slack.views.top(OLU.id)
    assert form is not None
    plain.aws.faults.add("StopDeployment", "access_denied", times=None)
    await plain.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})
    await plain.until(lambda: plain.table("interventions"))
    plain.aws.stop_deployment(deployment, rollback=False)
    plain.aws.faults.clear("StopDeployment")
    plain.aws.clock.advance(5)
    await plain.until(lambda: plain.gate(deployment)["ended_at"] is not None)
    plain.clock.advance(minutes=2)

    await plain.until(lambda: "started no rollback" in plain.card_text(deployment), 20)
    assert plain.table("interventions")[0]["phase"] == "failed"


async def test_a_deployment_that_we_do_not_know_of_makes_the_redeployment_wait_for_nobody(
    harness: Harness,
) -> None:
    """CodeDeploy takes one deployment at a time, and this one's hook has not come to us."""
    deployment = await finished(harness)
    harness.aws.faults.lose_hooks()
    other = harness.aws.deploy("order")

    await undo(harness, GRACE.id, deployment)

    await harness.until(lambda: "another deployment" in harness.card_text(deployment), 20)
    assert harness.table("interventions")[0]["phase"] == "failed"
    assert "undo" in harness.actions(deployment)
    assert not harness.aws.deployment(other).over


async def test_a_lost_answer_to_create_deployment_makes_no_second_deployment(harness: Harness) -> None:
    deployment = await finished(harness)
    harness.aws.faults.add("CreateDeployment", "drop_after_commit", times=1)

    await undo(harness, GRACE.id, deployment)

    await harness.until(lambda: harness.table("interventions")[0]["phase"] == "sent", 20)
    assert len(harness.aws.deployments("order")) == 2
    await harness.advance_until(lambda: "Previous version live again" in harness.card_text(deployment), 25)
    again = harness.table("interventions")[0]["deployment_id"]
    assert harness.gate(again)["basis"] == "undo"
