"""The laws, as the README's *What you can rely on* lists them; each stays true under crash, race and outage.

The complete harness runs over the wire, with a real Postgres. Two processes are tested in
`journeys/test_two_replicas.py`, the state machine in `gate/test_lives.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import psycopg
import pytest
from prometheus_client import REGISTRY

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import GRACE, JUN, MINA, OLU
from app.slack.action_value import ActionValue
from tests.flow import outsiders
from tests.harness import Harness
from tests.logs import captured_logs

PUT = "PutLifecycleEventHookExecutionStatus"
BROKEN_CHAINS = """
SELECT count(*) AS broken FROM (
    SELECT e AS event, seq, hash, coalesce(lag(hash) OVER chain, ''::bytea) AS previous,
           row_number() OVER chain AS place
    FROM audit_events e WINDOW chain AS (PARTITION BY account, region, deployment_id ORDER BY seq)
) x WHERE hash <> audit_event_hash(previous, event) OR seq <> place
"""


@asynccontextmanager
async def holding(harness: Harness, statement: str) -> AsyncIterator[None]:
    """Somebody else's transaction holds what `statement` locks, as a stuck one would."""
    async with await psycopg.AsyncConnection.connect(harness.database_url) as connection:
        await connection.execute(statement)
        yield
        await connection.rollback()


def decisions(harness: Harness, deployment: str) -> int:
    return harness.audit(deployment).count("gate_decided")


class TestLaw1DurableBeforeTold:
    """A vote and the decision that it makes are committed before anybody is told of them."""

    async def test_when_codedeploy_is_told_the_decision_is_committed_already(self, harness: Harness) -> None:
        changes: list[dict[str, Any]] = []
        deployment, _ = await harness.open_gate("order")
        harness.aws.on_change(lambda domain: changes.append(harness.gate(deployment)))

        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: changes)

        first = changes[0]  # looked up while CodeDeploy has not yet said yes
        assert (first["phase"], first["verdict"], first["decided_by"]) == ("decided", "approved", MINA.id)

    async def test_what_could_not_be_committed_is_told_to_nobody(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        async with holding(harness, "SELECT 1 FROM gates FOR UPDATE"):
            assert (await harness.approve(OLU.id, deployment)).acked
            await harness.until(lambda: "Not recorded" in harness.ephemerals(OLU.id))
            assert harness.aws.calls(PUT) == []
            assert "Approved" not in harness.card_text(deployment)
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert harness.rows("SELECT 1 FROM votes") == []


class TestLaw2OneGateOneDecision:
    """However many people press at once, one decision stands, and the others learn who was first."""

    async def test_a_dozen_presses_at_once_make_one_decision(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        crowd = [person.id for person in (MINA, OLU, GRACE)] * 4

        presses = await asyncio.gather(*(harness.approve(user, deployment) for user in crowd))

        assert all(press.acked for press in presses)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert decisions(harness, deployment) == 1
        first = harness.gate(deployment)["decided_by"]
        late = next(person for person in (OLU, GRACE) if person.id != first)
        await harness.until(lambda: f"<@{first}>" in harness.ephemerals(late.id))

    async def test_a_yes_and_a_no_at_once_make_one_decision(self, harness: Harness) -> None:
        deployment, card = await harness.open_gate("order")
        await harness.press(GRACE.id, deployment, "reject")
        await harness.until(lambda: harness.slack.views.top(GRACE.id))
        form = harness.slack.views.top(GRACE.id)
        assert form is not None

        await asyncio.gather(
            harness.slack.submit_async(GRACE.id, form.id, {"reason": "broken"}),
            harness.slack.press_async(OLU.id, card.channel, card.ts, "approve"),
        )

        verdict = harness.gate(deployment)["verdict"]
        assert await harness.reported(deployment) == [
            {"approved": "Succeeded", "rejected": "Failed"}[verdict]
        ]
        assert decisions(harness, deployment) == 1

    async def test_a_press_and_the_deadline_at_once_make_one_decision(self, harness: Harness) -> None:
        deployment, card = await harness.open_gate("order")
        harness.clock.advance(minutes=54, seconds=59)
        press = asyncio.ensure_future(harness.slack.press_async(OLU.id, card.channel, card.ts, "approve"))
        harness.clock.advance(seconds=2)
        await press

        assert len(await harness.reported(deployment)) == 1
        assert decisions(harness, deployment) == 1


class TestLaw3CodeDeployHearsWhatWasDecided:
    """What CodeDeploy holds is the recorded decision, or the difference is on the card, in the record, a metric."""

    async def test_a_report_is_delivered_once_despite_every_failure(self, harness: Harness) -> None:
        for fault in ("throttle", "error", "drop", "error_after_commit"):
            harness.aws.faults.add(PUT, fault)
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: harness.gate(deployment)["outcome"] == "acknowledged")
        assert harness.aws.answers(deployment) == ["Succeeded"]

    async def test_a_difference_is_shown_everywhere(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        await outsiders.answers(harness, deployment, "Succeeded")
        metric = ("switchgate_reports_total", {"outcome": "conflict"})
        before = REGISTRY.get_sample_value(*metric) or 0

        await harness.reject(GRACE.id, deployment, "broken")

        await harness.until(lambda: "recorded a different result: Succeeded" in harness.card_text(deployment))
        assert harness.gate(deployment)["outcome"] == "conflict"
        assert REGISTRY.get_sample_value(*metric) == before + 1


class TestLaw4NothingWaitsForEver:
    """Every gate has a deadline before CodeDeploy's own hour, and ends by then for a reason of ours."""

    async def test_a_gate_that_nobody_answers_ends_before_codedeploys_hour(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        began = harness.aws.deployment(deployment).event("BeforeAllowTraffic").started_at
        assert began is not None
        harness.clock.advance(minutes=55)
        assert await harness.reported(deployment) == ["Failed"]
        gate = harness.gate(deployment)
        assert gate["verdict"] == "expired"
        assert (gate["decided_at"] - began).total_seconds() < 59 * 60

    async def test_the_deadline_is_kept_while_slack_is_away(self, harness: Harness) -> None:
        with harness.slack.faults.away():
            deployment = await harness.deploy("order")
            await harness.until(lambda: harness.rows("SELECT 1 FROM gates"))
            harness.clock.advance(minutes=56)
            assert await harness.reported(deployment) == ["Failed"]

    async def test_one_gate_that_makes_no_sense_keeps_no_other_waiting(self, harness: Harness) -> None:
        odd, _ = await harness.open_gate("order")
        plain, _ = await harness.open_gate("payment")
        await outsiders.alters(harness, "UPDATE switches SET traffic = '{}' WHERE deployment_id = %s", odd)
        harness.clock.advance(minutes=56)
        assert await harness.reported(plain) == ["Failed"]


class TestLaw5OnlyTheRightPeopleDecide:
    """Identity comes from Slack's signed payload; rules are evaluated at the press, in its transaction."""

    async def test_whoever_is_not_named_does_not_decide(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        assert (await harness.approve(JUN.id, deployment)).acked
        await harness.until(lambda: harness.ephemerals(JUN.id))
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert harness.audit(deployment).count("vote_denied") == 1
        assert "vote_cast" not in harness.audit(deployment)

    async def test_nobody_approves_their_own_deployment(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order", description="github-actor=mina-kim")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert harness.gate(deployment)["decided_by"] == OLU.id

    async def test_a_switch_is_withdrawn_by_its_deployer_alone(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order", description="github-actor=jun-lee")
        await harness.press(OLU.id, deployment, "withdraw")
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.press(JUN.id, deployment, "withdraw")
        await harness.until(lambda: harness.slack.views.top(JUN.id))
        form = harness.slack.views.top(JUN.id)
        assert form is not None
        await harness.slack.submit_async(JUN.id, form.id, {})
        assert await harness.reported(deployment) == ["Failed"]
        assert harness.gate(deployment)["decided_by"] == JUN.id

    async def test_a_buttons_value_names_a_gate_and_never_a_person(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        gate = harness.gate(deployment)
        action_value = str(ActionValue(gate=gate["id"], prompt_version=gate["prompt_version"]))
        for value in (
            action_value + f".{GRACE.id}",
            GRACE.id,
            "",
            action_value.replace(action_value[0], "x", 1),
        ):
            await harness.press(JUN.id, deployment, "approve", value=value)
        assert harness.gate(deployment)["phase"] == "awaiting"

    async def test_who_left_the_group_a_moment_ago_no_longer_decides(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        harness.slack.people.alter("S0ONCALL", members=(MINA.id,))
        await harness.service.slack.directory.refresh_groups(["S0ONCALL"])
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"


class TestLaw6EverythingIsInTheRecord:
    """In the transaction of the change itself, and not to be altered unnoticed."""

    async def test_a_change_whose_audit_event_cannot_be_written_does_not_happen(
        self, harness: Harness
    ) -> None:
        deployment, _ = await harness.open_gate("order")
        await outsiders.alters(
            harness,
            "ALTER TABLE audit_events ADD CONSTRAINT full_disk CHECK (kind <> 'gate_decided') NOT VALID",
        )
        assert (await harness.approve(OLU.id, deployment)).acked
        await harness.until(lambda: harness.ephemerals(OLU.id))
        assert harness.gate(deployment)["phase"] == "awaiting"
        assert harness.rows("SELECT 1 FROM votes") == []
        assert harness.aws.calls(PUT) == []

    async def test_the_audit_trail_has_a_gate_from_the_hook_to_the_report(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(JUN.id, deployment)
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: "report_acknowledged" in harness.audit(deployment))
        told = harness.audit(deployment)
        needed = ["gate_opened", "vote_denied", "vote_cast", "gate_decided", "report_acknowledged"]
        assert [kind for kind in told if kind in needed] == needed

    async def test_an_altered_event_is_found(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: "report_acknowledged" in harness.audit(deployment))
        assert harness.rows(BROKEN_CHAINS) == [{"broken": 0}]
        with pytest.raises(psycopg.errors.IntegrityError):
            await outsiders.alters(harness, "UPDATE audit_events SET actor = %s", OLU.id)

        await outsiders.alters(harness, "ALTER TABLE audit_events DISABLE TRIGGER USER")
        await outsiders.alters(
            harness, "UPDATE audit_events SET actor = %s WHERE kind = 'gate_decided'", OLU.id
        )
        assert harness.rows(BROKEN_CHAINS)[0]["broken"] > 0


class TestLaw7ASideEffectThatFailsIsRetried:
    """Slack down, AWS throttled, the database gone for a while: the gate is still right afterwards."""

    async def test_an_outage_of_slack_from_the_hook_to_the_decision(self, harness: Harness) -> None:
        with harness.slack.faults.away():
            deployment = await harness.deploy("order")
            await harness.until(lambda: harness.rows("SELECT 1 FROM cards WHERE attempts > 0"))
        harness.clock.advance(minutes=1)
        await harness.until(lambda: "approve" in harness.actions(deployment))
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: "approved by" in harness.card_text(deployment))
        assert len(harness.cards()) == 1

    async def test_slack_lost_after_the_press_does_not_keep_codedeploy_waiting(
        self, harness: Harness
    ) -> None:
        deployment, _ = await harness.open_gate("order")
        harness.slack.faults.server_error("chat.update", times=None)
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        harness.slack.faults.clear()
        harness.clock.advance(minutes=1)
        await harness.until(lambda: "approved by" in harness.card_text(deployment))

    async def test_an_outage_of_aws_doubles_nothing(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        harness.aws.faults.add("*", "unavailable", times=6)
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert decisions(harness, deployment) == 1

    async def test_the_record_blocked_when_codedeploy_says_yes_is_caught_up_with(
        self, harness: Harness
    ) -> None:
        deployment, _ = await harness.open_gate("order")
        harness.aws.faults.slow(PUT, 300, times=1)
        await harness.approve(MINA.id, deployment)
        async with holding(harness, "SELECT 1 FROM gates FOR UPDATE"):
            assert await harness.reported(deployment) == ["Succeeded"]
        harness.clock.advance(seconds=5)
        await harness.until(lambda: harness.gate(deployment)["outcome"] == "acknowledged")
        assert harness.aws.answers(deployment) == ["Succeeded"]


class TestLaw8UnknownIsClosed:
    """An unknown group, a bad signature, an unreachable service, a missing rule: no traffic moves."""

    async def test_a_group_that_is_no_domain_is_refused_and_answered_failed(self, harness: Harness) -> None:
        harness.aws.add_domain(SandboxDomain("stranger", 7000))
        deployment = harness.aws.deploy("stranger")
        assert await harness.reported(deployment) == ["Failed"]
        assert harness.rows("SELECT 1 FROM gates") == []
        assert harness.audit(deployment) == ["hook_refused"]
        assert harness.aws.share("stranger") == {"blue": 100, "green": 0}

    async def test_a_hook_that_nobody_signed_opens_nothing(self, harness: Harness) -> None:
        deployment = await harness.deploy("order")
        await harness.until(lambda: harness.rows("SELECT 1 FROM gates"))
        body = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": "forged"}
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"X-Switchgate-Key": "sandbox", "X-Switchgate-Signature": "v1=00"}):
                url = f"{harness.url}/hooks/codedeploy"
                async with session.post(url, json=body, headers=headers) as refused:
                    assert refused.status == 401
        assert len(harness.rows("SELECT 1 FROM gates")) == 1

    async def test_a_service_that_cannot_be_reached_lets_nothing_through(self, harness: Harness) -> None:
        harness.fakes.service_urls = ["http://127.0.0.1:9"]
        harness.fakes.lambda_seconds = 4
        deployment = harness.aws.deploy("order")
        assert await harness.reported(deployment, timeout=20) == ["Failed"]
        assert harness.aws.share("order") == {"blue": 100, "green": 0}

    async def test_a_domain_that_left_the_configuration_is_decided_by_nobody(self, harness: Harness) -> None:
        deployment, _ = await harness.open_gate("order")
        text = harness.fakes.config_file.read_text()
        harness.fakes.config_file.write_text(text.replace("[domains.order]", "[domains.renamed]"))
        harness.reload_config()
        await harness.approve(GRACE.id, deployment)
        await harness.until(lambda: "vote_denied" in harness.audit(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        harness.clock.advance(minutes=56)
        assert await harness.reported(deployment) == ["Failed"]


class TestLaw9ARescueIsNeverBlocked:
    """Automatic rollbacks pass at once and are only announced; an undo of ours passes its own gate."""

    async def test_a_rollback_passes_at_once(self, harness: Harness) -> None:
        deployment = await harness.deploy("order", creator="codeDeployRollback")
        assert await harness.reported(deployment) == ["Succeeded"]
        assert harness.gate(deployment)["basis"] == "auto_rollback"
        await harness.until(lambda: "Rollbacks don't need approval" in harness.card_text(deployment))

    async def test_a_rollback_passes_while_slack_is_away(self, harness: Harness) -> None:
        with harness.slack.faults.away():
            deployment = await harness.deploy("order", creator="CloudFormationRollback")
            assert await harness.reported(deployment) == ["Succeeded"]


class TestLaw10SecretsStaySecret:
    """The hook execution id is never in Slack, logs, URLs, pages or the audit trail; see `test_secrets` too."""

    async def test_the_execution_id_appears_nowhere(self, harness: Harness) -> None:
        with captured_logs() as log:
            deployment, _ = await harness.open_gate("order")
            secret = harness.gate(deployment)["execution_id"]
            harness.aws.faults.add(PUT, "error_after_commit")
            await harness.approve(JUN.id, deployment)
            await harness.approve(MINA.id, deployment)
            await harness.until(lambda: harness.gate(deployment)["outcome"] == "acknowledged")
            pages = await _pages(harness)
        assert len(secret) > 100
        places = {
            "Slack": harness.slack.traffic(),
            "the log": log.getvalue(),
            "the Lambda's log": "\n".join(harness.fakes.hook_log),
            "HTTP": pages,
            "the audit trail": str(harness.table("audit_events")),
        }
        assert all(places.values())
        assert [place for place, text in places.items() if secret in text or secret[:40] in text] == []
        assert harness.gate(deployment)["execution_id"] is None


async def _pages(harness: Harness) -> str:
    said = []
    async with aiohttp.ClientSession() as session:
        for path in ("/api/v1/gates", "/api/v1/switches", "/api/v1/audit", "/metrics", "/readyz"):
            async with session.get(f"{harness.url}{path}") as answer:
                said.append(await answer.text())
    return "\n".join(said)
