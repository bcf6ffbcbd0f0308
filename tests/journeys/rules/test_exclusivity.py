"""Exclusivity: which switches wait for which, their queue positions, and what unblocks them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from app.sandbox.people import CHANNEL, GRACE, MINA, OLU, ONCALL, config_text
from tests.flow import outsiders
from tests.harness import Harness, running_harness, text_of

CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
SET = 'exclusive = ["order", "payment", "auth"]\n'
WAITS = "One at a time: {} is switching"

Build = Callable[..., AbstractAsyncContextManager[Harness]]


@pytest.fixture
def build(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A harness; `policy` are lines of [policy], the others of the domains' tables."""

    def built(policy: str = "", **domains: str) -> AbstractAsyncContextManager[Harness]:
        config = config_text(EIGHT_DOMAINS, **domains).replace(
            "approvals = 1\n", f"approvals = 1\n{policy}", 1
        )
        return running_harness(tmp_path, database_url, monkeypatch, config=config)

    return built


async def going(harness: Harness, domain: str) -> str:
    """A canary that Mina approved, with 10 % of the traffic on green."""
    deployment, _ = await harness.open_gate(domain, config=CANARY)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.share(domain)["green"] == 10)
    return deployment


async def come_through(harness: Harness, domain: str, deployment: str) -> None:
    """The rest of its traffic follows."""
    harness.aws.clock.advance(5 * 60)
    await harness.until(lambda: switched(harness, deployment))
    assert harness.aws.share(domain)["green"] == 100


def switched(harness: Harness, deployment: str) -> bool:
    rows = harness.rows("SELECT switched_at FROM switches WHERE deployment_id = %s", deployment)
    return rows[0]["switched_at"] is not None


async def refused(harness: Harness, user: str, deployment: str, words: str) -> None:
    """The press does not count, and the reply says why."""
    before = len(harness.slack.messages.ephemerals(user))
    await harness.approve(user, deployment)
    await harness.until(lambda: len(harness.slack.messages.ephemerals(user)) > before)
    assert words in text_of(harness.slack.messages.ephemerals(user)[-1])
    gate = harness.gate(deployment)
    assert (gate["phase"], gate["verdict"]) == ("awaiting", None)


def calls(harness: Harness, deployment: str) -> list[str]:
    """What the card's thread and the channel call people with."""
    said = harness.slack.messages.in_channel(CHANNEL.id)
    return [
        text_of(message)
        for message in said
        if message.is_reply and f"{deployment} is still waiting for approval" in message.shown.text
    ]


async def called(harness: Harness, deployment: str) -> list[str]:
    await harness.until(lambda: calls(harness, deployment))
    return calls(harness, deployment)


async def say(harness: Harness, user: str, words: str) -> str:
    answered = await harness.slack.slash_async(user, CHANNEL.id, "/deploys", words)
    assert answered.message is not None, answered
    return text_of(answered.message)


async def test_the_cards_show_the_queue_and_each_proceeds_when_it_is_unblocked(build: Build) -> None:
    async with build(SET) as harness:
        first = await going(harness, "payment")
        second, _ = await harness.open_gate("order")
        third, _ = await harness.open_gate("auth")
        unrelated, _ = await harness.open_gate("hub")

        await harness.until(lambda: WAITS.format("payment") in harness.card_text(second))
        assert first in harness.card_text(second)
        assert "Next in line." in harness.card_text(second)
        await harness.until(lambda: "Number 2 in line, after order." in harness.card_text(third))
        assert ": blocked" in harness.card_text(third)
        await refused(harness, OLU.id, third, "Number 2 in line, after order")
        assert "One at a time" not in harness.card_text(unrelated)
        await harness.approve(OLU.id, unrelated)
        assert await harness.reported(unrelated) == ["Succeeded"]
        assert WAITS.format("payment") in await say(harness, OLU.id, "order")

        await come_through(harness, "payment", first)
        await harness.until(lambda: ": blocked" not in harness.card_text(second))
        await harness.until(lambda: "Waiting longer: order." in harness.card_text(third))
        (call,) = await called(harness, second)
        assert "*order* can go next" in call
        assert f"<!subteam^{ONCALL.id}>" in call
        await harness.approve(OLU.id, second)
        assert await harness.reported(second) == ["Succeeded"]
        await harness.until(
            lambda: WAITS.format("order") in harness.card_text(third) or switched(harness, second)
        )
        await harness.until(lambda: switched(harness, second))
        (call,) = await called(harness, third)  # and not before, while order was in line for longer
        assert "*auth* can go next" in call
        assert len(calls(harness, second)) == 1
        assert calls(harness, first) == calls(harness, unrelated) == []


async def test_nobody_is_called_to_what_never_waited_or_has_been_answered(build: Build) -> None:
    async with build(SET) as harness:
        asked, _ = await harness.open_gate("payment")
        other, _ = await harness.open_gate("order")
        await harness.until(lambda: "Waiting longer: payment." in harness.card_text(other))
        await harness.reject(OLU.id, asked, "not today")
        await harness.until(lambda: "Waiting longer" not in harness.card_text(other))
        first = await going(harness, "auth")
        await harness.until(lambda: WAITS.format("auth") in harness.card_text(other))
        harness.slack.faults.error("chat.postMessage", "internal_error", times=None)
        await come_through(harness, "auth", first)
        await harness.until(lambda: harness.rows("SELECT 1 FROM announcements WHERE last_error IS NOT NULL"))
        await harness.approve(OLU.id, other)
        harness.slack.faults.clear()
        harness.clock.advance(minutes=1)
        await harness.until(lambda: not harness.table("announcements"))
        assert calls(harness, other) == []


async def test_approvers_are_notified_once_both_the_freeze_and_the_exclusivity_are_over(build: Build) -> None:
    async with build(SET) as harness:
        first = await going(harness, "payment")
        second, _ = await harness.open_gate("order")
        await harness.until(lambda: WAITS.format("payment") in harness.card_text(second))
        await say(harness, GRACE.id, "freeze order for 20m stocktaking")
        await harness.until(lambda: "stocktaking" in harness.card_text(second))
        await say(harness, GRACE.id, "unfreeze order")
        await harness.until(lambda: "stocktaking" not in harness.card_text(second))
        await come_through(harness, "payment", first)
        (call,) = await called(harness, second)
        assert "*order* can go next" in call


async def test_exclusivity_ends_at_once_when_the_deployment_fails(build: Build) -> None:
    async with build(SET) as harness:
        first = await going(harness, "payment")
        second, _ = await harness.open_gate("order")
        await harness.until(lambda: WAITS.format("payment") in harness.card_text(second))
        harness.aws.stop_deployment(first)
        harness.aws.clock.advance(5)
        harness.clock.advance(seconds=30)
        await harness.until(lambda: WAITS.format("payment") not in harness.card_text(second))
        await harness.approve(OLU.id, second)
        assert await harness.reported(second) == ["Succeeded"]


async def test_a_switch_that_is_being_polled_blocks_nobody(build: Build) -> None:
    async with build(SET) as harness:
        asked, _ = await harness.open_gate("payment")
        other, _ = await harness.open_gate("order")
        await harness.until(lambda: "Waiting longer: payment." in harness.card_text(other))
        await harness.reject(OLU.id, asked, "not today")
        await harness.until(lambda: "Waiting longer" not in harness.card_text(other))
        await harness.approve(OLU.id, other)
        assert await harness.reported(other) == ["Succeeded"]


async def test_the_bake_time_counts_where_the_rules_say_so(build: Build) -> None:
    async with build(SET, payment='exclusive_until = "finished"\n') as harness:
        first = await going(harness, "payment")
        second, _ = await harness.open_gate("order")
        await come_through(harness, "payment", first)
        await harness.until(lambda: "holds its turn until blue is terminated" in harness.card_text(second))
        await refused(harness, OLU.id, second, "payment has switched")
        harness.aws.clock.advance(6 * 60)
        harness.clock.advance(minutes=6)
        await harness.until(lambda: "holds its turn" not in harness.card_text(second))
        await harness.approve(OLU.id, second)
        assert await harness.reported(second) == ["Succeeded"]


async def test_an_admin_uses_break_glass_against_exclusivity(build: Build) -> None:
    async with build(SET) as harness:
        first = await going(harness, "payment")
        second, _ = await harness.open_gate("order")
        await harness.until(lambda: "break_glass" in harness.actions(second))
        await harness.press(GRACE.id, second, "break_glass")
        await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
        form = harness.slack.views.top(GRACE.id)
        assert form is not None
        assert WAITS.format("payment") in str(form.body)
        await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
        assert await harness.reported(second) == ["Succeeded"]
        await harness.until(
            lambda: f"payment was switching at the time ({first})" in harness.card_text(second)
        )
        (broken,) = harness.gate(second)["overridden_rules"]
        assert (broken["rule"], broken["domain"], broken["deployment"]) == (
            "excluded_by_switch",
            "payment",
            first,
        )


async def test_auto_rollbacks_and_undos_wait_for_nobody(build: Build) -> None:
    async with build(SET) as harness:
        done, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, done)
        assert await harness.reported(done) == ["Succeeded"]
        harness.aws.advance_until(lambda: harness.aws.deployment(done).status == "Succeeded")
        await harness.until(
            lambda: "undo" in harness.actions(done) and "Completed" in harness.card_text(done)
        )
        await going(harness, "payment")

        auto_rollback = harness.aws.deploy("auth", creator="codeDeployRollback")
        assert await harness.reported(auto_rollback) == ["Succeeded"]
        await harness.press(OLU.id, done, "undo")
        await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
        form = harness.slack.views.top(OLU.id)
        assert form is not None
        await harness.slack.submit_async(OLU.id, form.id, {"reason": "wrong totals"})

        def undoing() -> str | None:
            rows = harness.rows("SELECT deployment_id FROM interventions")
            found: str | None = rows[0]["deployment_id"]
            return found

        await harness.until(undoing)
        assert await harness.reported(undoing() or "") == ["Succeeded"]


async def test_a_domain_that_approves_itself_waits_until_it_is_unblocked(build: Build) -> None:
    checks = 'required_checks = ["smoke"]\napprove_when_checks_pass = true\n'
    async with build(SET, order=checks) as harness:
        first = await going(harness, "payment")
        second, _ = await harness.open_gate("order")
        await outsiders.alters(
            harness,
            "INSERT INTO checks (account, region, deployment_id, name, state, reported_by, reported_at)"
            " SELECT account, region, deployment_id, 'smoke', 'passed', 'api:ci', now() FROM switches"
            " WHERE deployment_id = %s",
            second,
        )
        harness.service.wakeups.notify("check_reported")
        await harness.service.workers["auto_approve"].run_until_idle()
        assert harness.gate(second)["phase"] == "awaiting"
        await come_through(harness, "payment", first)
        assert await harness.reported(second) == ["Succeeded"]
        assert harness.gate(second)["basis"] == "checks"


async def test_a_domain_goes_after_another_and_alone_where_that_one_rests(build: Build) -> None:
    async with build(order='after = ["auth"]\n') as harness:
        alone, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, alone)
        assert await harness.reported(alone) == ["Succeeded"]
        harness.aws.advance_until(lambda: harness.aws.deployment(alone).status == "Succeeded")

        first, _ = await harness.open_gate("auth", config=CANARY)
        second, _ = await harness.open_gate("order")
        await harness.until(lambda: "auth goes first and is still waiting" in harness.card_text(second))
        await refused(harness, OLU.id, second, "auth goes first")
        await harness.approve(MINA.id, first)
        assert await harness.reported(first) == ["Succeeded"]
        await harness.until(lambda: "auth goes first and is still switching" in harness.card_text(second))
        harness.aws.advance_until(lambda: harness.aws.share("auth")["green"] == 10)
        await come_through(harness, "auth", first)
        await harness.until(lambda: "auth goes first" not in harness.card_text(second))
        await harness.approve(OLU.id, second)
        assert await harness.reported(second) == ["Succeeded"]


async def test_a_domain_that_was_to_go_first_and_was_rejected_is_not_waited_for(build: Build) -> None:
    async with build(order='after = ["auth"]\n') as harness:
        first, _ = await harness.open_gate("auth")
        second, _ = await harness.open_gate("order")
        await harness.until(lambda: "auth goes first" in harness.card_text(second))
        await harness.reject(OLU.id, first, "no")
        await harness.until(lambda: "auth should go first but was rejected" in harness.card_text(second))
        await harness.approve(OLU.id, second)
        assert await harness.reported(second) == ["Succeeded"]


async def test_a_gate_in_the_queue_still_ends_at_the_deadline(build: Build) -> None:
    async with build(SET) as harness:
        await going(harness, "payment")
        second, _ = await harness.open_gate("order")
        harness.clock.advance(minutes=56)
        assert await harness.reported(second) == ["Failed"]
        assert harness.gate(second)["verdict"] == "expired"


async def test_two_presses_at_the_same_moment_let_one_of_a_set_through(build: Build) -> None:
    async with build('exclusive = "all"\n') as harness:
        domains = ("order", "payment", "auth", "hub", "delivery")
        asked = [(await harness.open_gate(domain, config=CANARY))[0] for domain in domains]
        people = (MINA.id, OLU.id, GRACE.id, MINA.id, OLU.id)
        await asyncio.gather(
            *(harness.approve(user, deployment) for user, deployment in zip(people, asked, strict=True))
        )
        verdicts = [harness.gate(deployment)["verdict"] for deployment in asked]
        assert sorted(verdicts, key=str) == [None, None, None, None, "approved"]


async def test_what_the_rules_say_of_exclusivity(build: Build) -> None:
    async with build(SET, order='after = ["hub"]\nexclusive_until = "finished"\n') as harness:
        rules = await say(harness, OLU.id, "rules order")
        assert "never switched together with auth, payment." in rules
        assert "Holds its turn until blue is terminated." in rules
        assert "Goes after these while they are waiting or switching: hub." in rules
        assert "한 번에 하나씩: 다음 도메인과 동시에 전환하지 않습니다: order, payment" in await say(
            harness, MINA.id, "who auth"
        )
