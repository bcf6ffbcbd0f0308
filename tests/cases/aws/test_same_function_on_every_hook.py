"""One function is named as the hook of every lifecycle event: only the gated event asks people.

After rostskadat/poc_pivotal (the same function for all five events).
"""

from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import MINA
from tests.harness import Harness, running_harness
from tests.web.hooks.hook_sender import hook, hook_sender

EVENTS = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
PUT = "PutLifecycleEventHookExecutionStatus"


def order(*hooks: str) -> tuple[SandboxDomain, ...]:
    return (SandboxDomain("order", 8020, hooks=hooks),)


@pytest.mark.parametrize(
    "event", [one for one in EVENTS if one not in {"BeforeAllowTraffic", "AfterAllowTraffic"}]
)
async def test_another_event_is_refused_in_words_and_no_traffic_moves(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    async with running_harness(
        tmp_path, database_url, monkeypatch, domains=order(event, "BeforeAllowTraffic")
    ) as harness:
        deployment = harness.aws.deploy("order")
        assert await harness.reported(deployment) == ["Failed"]

        assert harness.rows("SELECT 1 FROM gates") == []
        assert harness.cards() == []
        assert harness.aws.share("order") == {"blue": 100, "green": 0}
        (refused,) = harness.rows("SELECT kind, detail FROM audit_events")
        assert refused["kind"] == "hook_refused"
        assert f"remove the function from {event}" in refused["detail"]["reason"]
        assert "HTTP 422 wrong_event" in "".join(harness.fakes.hook_log)


async def test_after_the_switch_there_is_no_second_card(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = order("BeforeAllowTraffic", "AfterAllowTraffic")
    async with running_harness(tmp_path, database_url, monkeypatch, domains=hooks) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await harness.advance_until(lambda: len(harness.aws.answers(deployment)) == 2)
        assert harness.aws.answers(deployment) == ["Succeeded", "Failed"]
        assert (
            len(
                harness.rows(
                    "SELECT 1 FROM gates g JOIN switches s ON s.id = g.switch_id WHERE s.deployment_id = %s",
                    deployment,
                )
            )
            == 1
        )
        assert harness.audit(deployment).count("hook_refused") == 1


@pytest.mark.parametrize("reads", [0, 3])
async def test_the_gated_event_is_asked_for_until_it_shows(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    """CodeDeploy's reads lag behind its hook."""
    async with running_harness(tmp_path, database_url, monkeypatch) as harness:
        harness.aws.faults.delay_progress(reads)
        deployment, _ = await harness.open_gate("order")
        started = harness.aws.deployment(deployment).event("BeforeAllowTraffic").started_at
        assert harness.rows("SELECT hook_started_at FROM switches") == [{"hook_started_at": started}]
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_an_earlier_hook_that_still_shows_as_running_is_not_taken_for_ours(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's function has answered at AfterAllowTestTraffic; the read that comes next is a stale one."""
    async with running_harness(tmp_path, database_url, monkeypatch) as harness:
        harness.aws.faults.delay_progress(4)
        deployment = harness.aws.deploy("order")
        with harness.aws._lock.hold():
            earlier = harness.aws._account.deployment(deployment).events[4]
            assert earlier.name == "AfterAllowTestTraffic"
            earlier.unended_reads = 4
        await harness.until(lambda: "approve" in harness.actions(deployment))


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_a_rollback_passes_at_every_event_with_one_card(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, creator: str
) -> None:
    async with running_harness(tmp_path, database_url, monkeypatch, domains=order(*EVENTS)) as harness:
        deployment = harness.aws.deploy("order", creator=creator)
        await harness.advance_until(lambda: len(harness.aws.answers(deployment)) == len(EVENTS))
        assert harness.aws.answers(deployment) == ["Succeeded"] * len(EVENTS)
        found = harness.rows("SELECT hook_name, basis FROM gates ORDER BY opened_at")
        assert [row["hook_name"] for row in found] == list(EVENTS)
        assert {row["basis"] for row in found} == {"auto_rollback"}
        await harness.until(lambda: harness.cards())
        assert len(harness.rows("SELECT 1 FROM cards")) == 1


async def test_an_undo_passes_at_every_event(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What served before may still name the function everywhere."""
    hooks = order("AfterInstall", "BeforeAllowTraffic")
    async with running_harness(tmp_path, database_url, monkeypatch, domains=hooks) as harness:
        deployment = harness.aws.deploy("order", description="Undo of d-1 [switchgate-undo:forged]")
        await harness.until(lambda: harness.rows("SELECT 1 FROM gates"))
        (gate,) = harness.rows("SELECT hook_name, phase FROM gates")
        # Its description alone lets nothing pass: it waits for people as any other does.
        assert (gate["hook_name"], gate["phase"]) == ("AfterInstall", "awaiting")
        assert harness.aws.answers(deployment) == []


async def test_a_lost_reply_is_read_again_at_the_event_that_the_gate_is_about(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_harness(tmp_path, database_url, monkeypatch, domains=order(*EVENTS)) as harness:
        harness.aws.faults.add(PUT, "error_after_commit")
        deployment = harness.aws.deploy("order", creator="codeDeployRollback")
        first = "SELECT outcome FROM gates WHERE hook_name = 'BeforeInstall' AND outcome IS NOT NULL"
        await harness.until(lambda: harness.rows(first))
        assert harness.rows(first) == [{"outcome": "acknowledged"}]
        assert harness.aws.answers(deployment)[0] == "Succeeded"


async def test_a_function_that_says_to_be_another_hook_is_refused(harness: Harness) -> None:
    harness.aws.faults.lose_hooks()
    deployment = await harness.deploy("order")
    async with hook_sender(harness) as endpoint:
        answer = await endpoint.send_hook(hook(deployment, HookName="AfterInstall"))
    assert (answer.status, answer.body["error"]) == (422, "wrong_event")
    assert "remove the function from AfterInstall" in answer.body["detail"]
