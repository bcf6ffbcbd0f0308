"""`mode = "observe"`: everything is shown and recorded, and nothing is held."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.sandbox.people import CHANNEL, OLU, config_text
from tests.flow.lifecycle.test_unverified import READS
from tests.harness import Harness, running_harness
from tests.journeys.test_timeline import thread_text

Build = Callable[..., AbstractAsyncContextManager[Harness]]

FREEZE = """
[[freeze]]
reason = "inventory"
from = 2020-01-01T00:00:00Z
until = 2099-01-01T00:00:00Z
time_zone = "Asia/Seoul"
"""


@pytest.fixture
def build(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    def built(order: str, head: str = "") -> AbstractAsyncContextManager[Harness]:
        config = config_text(order=order).replace("[people]", f"{head}\n[people]", 1)
        return running_harness(tmp_path, database_url, monkeypatch, config=config)

    return built


async def test_it_passes_and_card_list_timeline_and_trail_say_what_would_have_held_it(build: Build) -> None:
    async with build('mode = "observe"\nrequired_checks = ["smoke"]\n', FREEZE) as harness:
        deployment = harness.aws.deploy("order")
        assert await harness.reported(deployment) == ["Succeeded"]
        gate = harness.gate(deployment)
        assert (gate["verdict"], gate["basis"], gate["decided_by"]) == ("approved", "observe", None)
        kinds = {rule["rule"] for rule in gate["overridden_rules"]}
        assert kinds >= {"frozen", "check_not_passed", "approvals_required"}
        await harness.until(lambda: "*Observe mode:* passed without" in harness.card_text(deployment))
        card = harness.card_text(deployment)
        assert "(observe mode)" in card
        assert "blocked" not in card
        assert "*Would have held it outside observe mode*" in card
        assert "smoke" in card
        assert "inventory" in card
        assert "approve" not in harness.actions(deployment)
        (event,) = harness.rows("SELECT * FROM audit_events WHERE kind = 'gate_decided'")
        assert (event["actor_kind"], event["detail"]["basis"]) == ("switchgate", "observe")
        assert "frozen" in event["detail"]["overridden_rules"]
        await harness.until(lambda: "Passed in observe mode" in thread_text(harness, deployment))
        listed = await harness.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "order")
        assert listed.message is not None
        assert "passed in observe mode" in str(listed.message)


async def test_the_card_has_the_evidence_as_ever(build: Build) -> None:
    async with build('mode = "observe"\n') as harness:
        deployment = harness.aws.deploy("order")
        assert await harness.reported(deployment) == ["Succeeded"]
        (seen,) = harness.rows(
            "SELECT e.seen FROM evidence e JOIN gates g ON g.id = e.gate_id WHERE e.seen IS NOT NULL"
        )
        assert seen["seen"]


async def test_it_waits_for_codedeploys_confirmation(build: Build) -> None:
    async with build('mode = "observe"\n') as harness:
        for read in READS:
            harness.aws.faults.add(read, "access_denied", times=None)
        deployment = harness.aws.deploy("order")
        await harness.until(lambda: harness.rows("SELECT 1 FROM gates"))
        harness.clock.advance(seconds=60)
        await harness.until(lambda: "onfirm" in harness.card_text(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        for read in READS:
            harness.aws.faults.clear(read)
        harness.clock.advance(seconds=30)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_turned_on_it_releases_nothing_that_people_hold_already(build: Build) -> None:
    async with build("") as harness:
        held, _ = await harness.open_gate("order")
        file = harness.fakes.config_file
        file.write_text(file.read_text().replace("[policy]", '[policy]\nmode = "observe"', 1))
        harness.reload_config()
        payment = harness.aws.deploy("payment")
        assert await harness.reported(payment) == ["Succeeded"]
        assert harness.gate(held)["phase"] == "awaiting"
        assert "(observe mode)" not in harness.card_text(held)
        await harness.approve(OLU.id, held)
        assert await harness.reported(held) == ["Succeeded"]


async def test_another_domain_is_held_as_ever(build: Build) -> None:
    async with build('mode = "observe"\n') as harness:
        deployment, _ = await harness.open_gate("payment")
        order = harness.aws.deploy("order")
        assert await harness.reported(order) == ["Succeeded"]
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert "(observe mode)" not in harness.card_text(deployment)
        await harness.approve(OLU.id, deployment)
