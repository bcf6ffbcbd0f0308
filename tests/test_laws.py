"""The laws, as the README's *What you can rely on* lists them; each stays true under crash, race and outage.

The whole house plays over the wire, with a real Postgres. What two processes do to each other is played in
`journeys/test_two_replicas.py`, and every life of a gate in `gate/test_lives.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import psycopg
import pytest
from prometheus_client import REGISTRY

from app.sandbox.aws.world import SandboxDomain
from app.sandbox.cast import GRACE, JUN, MINA, OLU
from app.slack.action_value import Ticket
from tests.flow import outsiders
from tests.house import House
from tests.logs import listening

PUT = "PutLifecycleEventHookExecutionStatus"
BROKEN_CHAINS = """
SELECT count(*) AS broken FROM (
    SELECT e AS event, link, digest, coalesce(lag(digest) OVER chain, ''::bytea) AS previous,
           row_number() OVER chain AS place
    FROM audit_events e WINDOW chain AS (PARTITION BY account, region, deployment_id ORDER BY link)
) x WHERE digest <> audit_digest(previous, event) OR link <> place
"""


@asynccontextmanager
async def holding(house: House, statement: str) -> AsyncIterator[None]:
    """Somebody else's transaction holds what `statement` locks, as a stuck one would."""
    async with await psycopg.AsyncConnection.connect(house.database_url) as connection:
        await connection.execute(statement)
        yield
        await connection.rollback()


def decisions(house: House, deployment: str) -> int:
    return house.audit(deployment).count("gate_decided")


class TestLaw1DurableBeforeTold:
    """A vote and the decision that it makes are committed before anybody hears of them."""

    async def test_when_codedeploy_hears_it_the_decision_is_in_the_record_already(self, house: House) -> None:
        heard_at: list[dict[str, Any]] = []
        deployment, _ = await house.ask("order")
        house.aws.on_change(lambda domain: heard_at.append(house.gate(deployment)))

        await house.approve(MINA.id, deployment)
        await house.until(lambda: heard_at)

        first = heard_at[0]  # looked up while CodeDeploy has not yet said yes
        assert (first["phase"], first["verdict"], first["decided_by"]) == ("decided", "approved", MINA.id)

    async def test_what_could_not_be_committed_is_told_to_nobody(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        async with holding(house, "SELECT 1 FROM gates FOR UPDATE"):
            assert (await house.approve(OLU.id, deployment)).acked
            await house.until(lambda: "Nothing was recorded" in house.whispered(OLU.id))
            assert house.aws.calls(PUT) == []
            assert "Approved" not in house.says(deployment)
        assert house.gate(deployment)["phase"] == "awaiting"
        assert house.rows("SELECT 1 FROM votes") == []


class TestLaw2OneGateOneDecision:
    """However many people press at once, one decision stands, and the others learn who was first."""

    async def test_a_dozen_presses_at_once_make_one_decision(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        crowd = [person.id for person in (MINA, OLU, GRACE)] * 4

        presses = await asyncio.gather(*(house.approve(user, deployment) for user in crowd))

        assert all(press.acked for press in presses)
        assert await house.told(deployment) == ["Succeeded"]
        assert decisions(house, deployment) == 1
        first = house.gate(deployment)["decided_by"]
        late = next(person for person in (OLU, GRACE) if person.id != first)
        await house.until(lambda: f"<@{first}>" in house.whispered(late.id))

    async def test_a_yes_and_a_no_at_once_make_one_decision(self, house: House) -> None:
        deployment, card = await house.ask("order")
        await house.press(GRACE.id, deployment, "reject")
        await house.until(lambda: house.slack.views.top(GRACE.id))
        form = house.slack.views.top(GRACE.id)
        assert form is not None

        await asyncio.gather(
            house.slack.submit_async(GRACE.id, form.id, {"reason": "broken"}),
            house.slack.press_async(OLU.id, card.channel, card.ts, "approve"),
        )

        verdict = house.gate(deployment)["verdict"]
        assert await house.told(deployment) == [{"approved": "Succeeded", "rejected": "Failed"}[verdict]]
        assert decisions(house, deployment) == 1

    async def test_a_press_and_the_deadline_at_once_make_one_decision(self, house: House) -> None:
        deployment, card = await house.ask("order")
        house.clock.advance(minutes=54, seconds=59)
        press = asyncio.ensure_future(house.slack.press_async(OLU.id, card.channel, card.ts, "approve"))
        house.clock.advance(seconds=2)
        await press

        assert len(await house.told(deployment)) == 1
        assert decisions(house, deployment) == 1


class TestLaw3CodeDeployHearsWhatWasDecided:
    """What CodeDeploy holds is the recorded decision, or the difference is on the card, in the record, a metric."""

    async def test_an_answer_is_told_once_through_all_that_can_go_wrong(self, house: House) -> None:
        for fault in ("throttle", "error", "drop", "error_after_commit"):
            house.aws.faults.add(PUT, fault)
        deployment, _ = await house.ask("order")
        await house.approve(MINA.id, deployment)
        await house.until(lambda: house.gate(deployment)["outcome"] == "told")
        assert house.aws.answers(deployment) == ["Succeeded"]

    async def test_a_difference_is_shown_everywhere(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        await outsiders.answers(house, deployment, "Succeeded")
        metric = ("switchgate_reports_total", {"outcome": "contradicted"})
        before = REGISTRY.get_sample_value(*metric) or 0

        await house.reject(GRACE.id, deployment, "broken")

        await house.until(lambda: "holds another answer: Succeeded" in house.says(deployment))
        assert house.gate(deployment)["outcome"] == "contradicted"
        assert REGISTRY.get_sample_value(*metric) == before + 1


class TestLaw4NothingWaitsForEver:
    """Every gate has a deadline before CodeDeploy's own hour, and ends by then for a reason of ours."""

    async def test_a_gate_that_nobody_answers_ends_before_codedeploys_hour(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        began = house.aws.deployment(deployment).event("BeforeAllowTraffic").started_at
        assert began is not None
        house.clock.advance(minutes=55)
        assert await house.told(deployment) == ["Failed"]
        gate = house.gate(deployment)
        assert gate["verdict"] == "expired"
        assert (gate["decided_at"] - began).total_seconds() < 59 * 60

    async def test_the_deadline_is_kept_while_slack_is_away(self, house: House) -> None:
        with house.slack.faults.away():
            deployment = await house.deploy("order")
            await house.until(lambda: house.rows("SELECT 1 FROM gates"))
            house.clock.advance(minutes=56)
            assert await house.told(deployment) == ["Failed"]

    async def test_one_gate_that_makes_no_sense_keeps_no_other_waiting(self, house: House) -> None:
        odd, _ = await house.ask("order")
        plain, _ = await house.ask("payment")
        await outsiders.alters(house, "UPDATE switches SET traffic = '{}' WHERE deployment_id = %s", odd)
        house.clock.advance(minutes=56)
        assert await house.told(plain) == ["Failed"]


class TestLaw5OnlyTheRightPeopleDecide:
    """Identity comes from Slack's signed payload; rules are evaluated at the press, in its transaction."""

    async def test_whoever_is_not_named_does_not_decide(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        assert (await house.approve(JUN.id, deployment)).acked
        await house.until(lambda: house.whispered(JUN.id))
        assert house.gate(deployment)["phase"] == "awaiting"
        assert house.audit(deployment).count("press_refused") == 1
        assert "vote_cast" not in house.audit(deployment)

    async def test_nobody_approves_their_own_deployment(self, house: House) -> None:
        deployment, _ = await house.ask("order", description="github-actor=mina-kim")
        await house.approve(MINA.id, deployment)
        await house.until(lambda: "press_refused" in house.audit(deployment))
        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        assert house.gate(deployment)["decided_by"] == OLU.id

    async def test_a_buttons_value_names_a_gate_and_never_a_person(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        gate = house.gate(deployment)
        ticket = str(Ticket(gate=gate["id"], edition=gate["edition"]))
        for value in (ticket + f".{GRACE.id}", GRACE.id, "", ticket.replace(ticket[0], "x", 1)):
            await house.press(JUN.id, deployment, "approve", value=value)
        assert house.gate(deployment)["phase"] == "awaiting"

    async def test_who_left_the_group_a_moment_ago_no_longer_decides(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        house.slack.people.alter("S0ONCALL", members=(MINA.id,))
        await house.service.slack.directory.refresh_groups(["S0ONCALL"])
        await house.approve(OLU.id, deployment)
        await house.until(lambda: "press_refused" in house.audit(deployment))
        assert house.gate(deployment)["phase"] == "awaiting"


class TestLaw6EverythingIsInTheRecord:
    """In the transaction of the change itself, and not to be altered unnoticed."""

    async def test_a_change_whose_audit_event_cannot_be_written_does_not_happen(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        await outsiders.alters(
            house,
            "ALTER TABLE audit_events ADD CONSTRAINT full_disk CHECK (kind <> 'gate_decided') NOT VALID",
        )
        assert (await house.approve(OLU.id, deployment)).acked
        await house.until(lambda: house.whispered(OLU.id))
        assert house.gate(deployment)["phase"] == "awaiting"
        assert house.rows("SELECT 1 FROM votes") == []
        assert house.aws.calls(PUT) == []

    async def test_a_life_is_told_from_the_hook_to_the_report(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        await house.approve(JUN.id, deployment)
        await house.approve(MINA.id, deployment)
        await house.until(lambda: "report_told" in house.audit(deployment))
        told = house.audit(deployment)
        needed = ["gate_opened", "press_refused", "vote_cast", "gate_decided", "report_told"]
        assert [kind for kind in told if kind in needed] == needed

    async def test_an_altered_event_is_found(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        await house.approve(MINA.id, deployment)
        await house.until(lambda: "report_told" in house.audit(deployment))
        assert house.rows(BROKEN_CHAINS) == [{"broken": 0}]
        with pytest.raises(psycopg.errors.IntegrityError):
            await outsiders.alters(house, "UPDATE audit_events SET actor = %s", OLU.id)

        await outsiders.alters(house, "ALTER TABLE audit_events DISABLE TRIGGER USER")
        await outsiders.alters(
            house, "UPDATE audit_events SET actor = %s WHERE kind = 'gate_decided'", OLU.id
        )
        assert house.rows(BROKEN_CHAINS)[0]["broken"] > 0


class TestLaw7ASideEffectThatFailsIsRetried:
    """Slack down, AWS throttled, the database gone for a while: the gate is still right afterwards."""

    async def test_slack_away_from_the_hook_to_the_decision(self, house: House) -> None:
        with house.slack.faults.away():
            deployment = await house.deploy("order")
            await house.until(lambda: house.rows("SELECT 1 FROM cards WHERE attempts > 0"))
        house.clock.advance(minutes=1)
        await house.until(lambda: "approve" in house.actions(deployment))
        await house.approve(MINA.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: "Approved" in house.says(deployment))
        assert len(house.cards()) == 1

    async def test_slack_lost_after_the_press_does_not_keep_codedeploy_waiting(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        house.slack.faults.server_error("chat.update", times=None)
        await house.approve(MINA.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        house.slack.faults.clear()
        house.clock.advance(minutes=1)
        await house.until(lambda: "Approved" in house.says(deployment))

    async def test_aws_away_for_a_while_doubles_nothing(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        house.aws.faults.add("*", "unavailable", times=6)
        await house.approve(MINA.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        assert decisions(house, deployment) == 1

    async def test_the_record_blocked_when_codedeploy_says_yes_is_caught_up_with(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        house.aws.faults.slow(PUT, 300, times=1)
        await house.approve(MINA.id, deployment)
        async with holding(house, "SELECT 1 FROM gates FOR UPDATE"):
            assert await house.told(deployment) == ["Succeeded"]
        house.clock.advance(seconds=5)
        await house.until(lambda: house.gate(deployment)["outcome"] == "told")
        assert house.aws.answers(deployment) == ["Succeeded"]


class TestLaw8UnknownIsClosed:
    """An unknown group, a bad signature, an unreachable service, a missing rule: no traffic moves."""

    async def test_a_group_that_is_no_domain_is_refused_and_answered_failed(self, house: House) -> None:
        house.aws.add_domain(SandboxDomain("stranger", 7000))
        deployment = house.aws.deploy("stranger")
        assert await house.told(deployment) == ["Failed"]
        assert house.rows("SELECT 1 FROM gates") == []
        assert house.audit(deployment) == ["hook_refused"]
        assert house.aws.share("stranger") == {"blue": 100, "green": 0}

    async def test_a_hook_that_nobody_signed_opens_nothing(self, house: House) -> None:
        deployment = await house.deploy("order")
        await house.until(lambda: house.rows("SELECT 1 FROM gates"))
        body = {"DeploymentId": deployment, "LifecycleEventHookExecutionId": "forged"}
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"X-Switchgate-Key": "sandbox", "X-Switchgate-Signature": "v1=00"}):
                url = f"{house.url}/hooks/codedeploy"
                async with session.post(url, json=body, headers=headers) as refused:
                    assert refused.status == 401
        assert len(house.rows("SELECT 1 FROM gates")) == 1

    async def test_a_service_that_cannot_be_reached_lets_nothing_through(self, house: House) -> None:
        house.stage.service_urls = ["http://127.0.0.1:9"]
        house.stage.lambda_seconds = 4
        deployment = house.aws.deploy("order")
        assert await house.told(deployment, timeout=20) == ["Failed"]
        assert house.aws.share("order") == {"blue": 100, "green": 0}

    async def test_a_domain_that_left_the_configuration_is_decided_by_nobody(self, house: House) -> None:
        deployment, _ = await house.ask("order")
        text = house.stage.config_file.read_text()
        house.stage.config_file.write_text(text.replace("[domains.order]", "[domains.renamed]"))
        house.service.reload(house.stage.config_file)
        await house.approve(GRACE.id, deployment)
        await house.until(lambda: "press_refused" in house.audit(deployment))
        assert house.gate(deployment)["phase"] == "awaiting"
        house.clock.advance(minutes=56)
        assert await house.told(deployment) == ["Failed"]


class TestLaw9ARescueIsNeverBlocked:
    """Automatic rollbacks pass at once and are only announced; an undo of ours passes its own gate."""

    async def test_a_rollback_passes_at_once(self, house: House) -> None:
        deployment = await house.deploy("order", creator="codeDeployRollback")
        assert await house.told(deployment) == ["Succeeded"]
        assert house.gate(deployment)["basis"] == "rescue"
        await house.until(lambda: "rescue is never held" in house.says(deployment))

    async def test_a_rollback_passes_while_slack_is_away(self, house: House) -> None:
        with house.slack.faults.away():
            deployment = await house.deploy("order", creator="CloudFormationRollback")
            assert await house.told(deployment) == ["Succeeded"]


class TestLaw10SecretsStaySecret:
    """The hook execution id is never in Slack, logs, URLs, pages or the audit trail; see `test_secrets` too."""

    async def test_the_execution_id_appears_nowhere(self, house: House) -> None:
        with listening() as log:
            deployment, _ = await house.ask("order")
            secret = house.gate(deployment)["execution_id"]
            house.aws.faults.add(PUT, "error_after_commit")
            await house.approve(JUN.id, deployment)
            await house.approve(MINA.id, deployment)
            await house.until(lambda: house.gate(deployment)["outcome"] == "told")
            pages = await _pages(house)
        assert len(secret) > 100
        places = {
            "Slack": house.slack.traffic(),
            "the log": log.getvalue(),
            "the Lambda's log": "\n".join(house.stage.hook_log),
            "HTTP": pages,
            "the audit trail": str(house.table("audit_events")),
        }
        assert all(places.values())
        assert [place for place, text in places.items() if secret in text or secret[:40] in text] == []
        assert house.gate(deployment)["execution_id"] is None


async def _pages(house: House) -> str:
    said = []
    async with aiohttp.ClientSession() as session:
        for path in ("/api/v1/gates", "/api/v1/switches", "/api/v1/audit", "/metrics", "/readyz"):
            async with session.get(f"{house.url}{path}") as answer:
                said.append(await answer.text())
    return "\n".join(said)
