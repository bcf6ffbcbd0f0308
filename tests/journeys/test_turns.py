"""One thing at a time, as plays: who waits for whom, where they stand in line, and what frees the turn."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.sandbox.aws.world import EIGHT_DOMAINS
from app.sandbox.cast import CHANNEL, GRACE, MINA, OLU, ONCALL, config_text
from tests.flow import outsiders
from tests.house import House, living_house, text_of

CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"
SET = 'exclusive = ["order", "payment", "auth"]\n'
WAITS = "One at a time: {} is being switched"

Build = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def build(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A house; `policy` are lines of [policy], the others of the domains' tables."""

    def built(policy: str = "", **domains: str) -> AbstractAsyncContextManager[House]:
        config = config_text(EIGHT_DOMAINS, **domains).replace(
            "approvals = 1\n", f"approvals = 1\n{policy}", 1
        )
        return living_house(tmp_path, record_url, monkeypatch, config=config)

    return built


async def going(house: House, domain: str) -> str:
    """A canary that Mina let through and of which a tenth has moved."""
    deployment, _ = await house.ask(domain, config=CANARY)
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.share(domain)["green"] == 10)
    return deployment


async def come_through(house: House, domain: str, deployment: str) -> None:
    """The rest of its traffic follows."""
    house.aws.clock.advance(5 * 60)
    await house.until(lambda: switched(house, deployment))
    assert house.aws.share(domain)["green"] == 100


def switched(house: House, deployment: str) -> bool:
    rows = house.rows("SELECT switched_at FROM switches WHERE deployment_id = %s", deployment)
    return rows[0]["switched_at"] is not None


async def refused(house: House, user: str, deployment: str, words: str) -> None:
    """The press is not counted, and the presser reads why."""
    before = len(house.slack.messages.whispers(user))
    await house.approve(user, deployment)
    await house.until(lambda: len(house.slack.messages.whispers(user)) > before)
    assert words in text_of(house.slack.messages.whispers(user)[-1])
    gate = house.gate(deployment)
    assert (gate["phase"], gate["verdict"]) == ("awaiting", None)


def calls(house: House, deployment: str) -> list[str]:
    """What the card's thread and the channel call people with."""
    said = house.slack.messages.in_channel(CHANNEL.id)
    return [
        text_of(message)
        for message in said
        if message.is_reply and f"{deployment} still waits for an answer" in message.shown.text
    ]


async def called(house: House, deployment: str) -> list[str]:
    await house.until(lambda: calls(house, deployment))
    return calls(house, deployment)


async def say(house: House, user: str, words: str) -> str:
    answered = await house.slack.slash_async(user, CHANNEL.id, "/deploys", words)
    assert answered.message is not None, answered
    return text_of(answered.message)


async def test_the_cards_tell_the_line_and_each_goes_when_the_turn_is_free(build: Build) -> None:
    async with build(SET) as house:
        first = await going(house, "payment")
        second, _ = await house.ask("order")
        third, _ = await house.ask("auth")
        beside, _ = await house.ask("hub")

        await house.until(lambda: WAITS.format("payment") in house.says(second))
        assert first in house.says(second)
        assert "This one is next." in house.says(second)
        await house.until(lambda: "This one is number 2 in line, after order." in house.says(third))
        assert "Not to be approved now" in house.says(third)
        await refused(house, OLU.id, third, "number 2 in line, after order")
        assert "One at a time" not in house.says(beside)
        await house.approve(OLU.id, beside)
        assert await house.told(beside) == ["Succeeded"]
        assert WAITS.format("payment") in await say(house, OLU.id, "order")

        await come_through(house, "payment", first)
        await house.until(lambda: "Not to be approved now" not in house.says(second))
        await house.until(lambda: "Waiting for longer: order." in house.says(third))
        (call,) = await called(house, second)
        assert "It is the turn of *order* now" in call
        assert f"<!subteam^{ONCALL.id}>" in call
        await house.approve(OLU.id, second)
        assert await house.told(second) == ["Succeeded"]
        await house.until(lambda: WAITS.format("order") in house.says(third) or switched(house, second))
        await house.until(lambda: switched(house, second))
        (call,) = await called(house, third)  # and not before, while order was in line for longer
        assert "It is the turn of *auth* now" in call
        assert len(calls(house, second)) == 1
        assert calls(house, first) == calls(house, beside) == []


async def test_nobody_is_called_to_what_never_waited_or_has_been_answered(build: Build) -> None:
    async with build(SET) as house:
        asked, _ = await house.ask("payment")
        other, _ = await house.ask("order")
        await house.until(lambda: "Waiting for longer: payment." in house.says(other))
        await house.reject(OLU.id, asked, "not today")
        await house.until(lambda: "Waiting for longer" not in house.says(other))
        first = await going(house, "auth")
        await house.until(lambda: WAITS.format("auth") in house.says(other))
        house.slack.faults.error("chat.postMessage", "internal_error", times=None)
        await come_through(house, "auth", first)
        await house.until(lambda: house.rows("SELECT 1 FROM announcements WHERE last_error IS NOT NULL"))
        await house.approve(OLU.id, other)
        house.slack.faults.clear()
        house.clock.advance(minutes=1)
        await house.until(lambda: not house.table("announcements"))
        assert calls(house, other) == []


async def test_who_waits_for_a_freeze_and_a_turn_is_called_once_both_are_over(build: Build) -> None:
    async with build(SET) as house:
        first = await going(house, "payment")
        second, _ = await house.ask("order")
        await house.until(lambda: WAITS.format("payment") in house.says(second))
        await say(house, GRACE.id, "freeze order for 20m stocktaking")
        await house.until(lambda: "stocktaking" in house.says(second))
        await say(house, GRACE.id, "unfreeze order")
        await house.until(lambda: "stocktaking" not in house.says(second))
        await come_through(house, "payment", first)
        (call,) = await called(house, second)
        assert "It is the turn of *order* now" in call


async def test_the_turn_is_free_at_once_when_the_deployment_fails(build: Build) -> None:
    async with build(SET) as house:
        first = await going(house, "payment")
        second, _ = await house.ask("order")
        await house.until(lambda: WAITS.format("payment") in house.says(second))
        house.aws.stop_deployment(first)
        house.aws.clock.advance(5)
        house.clock.advance(seconds=30)
        await house.until(lambda: WAITS.format("payment") not in house.says(second))
        await house.approve(OLU.id, second)
        assert await house.told(second) == ["Succeeded"]


async def test_a_switch_that_is_asked_about_holds_nobody_up(build: Build) -> None:
    async with build(SET) as house:
        asked, _ = await house.ask("payment")
        other, _ = await house.ask("order")
        await house.until(lambda: "Waiting for longer: payment." in house.says(other))
        await house.reject(OLU.id, asked, "not today")
        await house.until(lambda: "Waiting for longer" not in house.says(other))
        await house.approve(OLU.id, other)
        assert await house.told(other) == ["Succeeded"]


async def test_the_bake_time_counts_where_the_rules_say_so(build: Build) -> None:
    async with build(SET, payment='exclusive_until = "finished"\n') as house:
        first = await going(house, "payment")
        second, _ = await house.ask("order")
        await come_through(house, "payment", first)
        await house.until(lambda: "keeps its turn until blue is gone" in house.says(second))
        await refused(house, OLU.id, second, "payment has switched")
        house.aws.clock.advance(6 * 60)
        house.clock.advance(minutes=6)
        await house.until(lambda: "keeps its turn" not in house.says(second))
        await house.approve(OLU.id, second)
        assert await house.told(second) == ["Succeeded"]


async def test_an_admin_breaks_the_glass_through_a_turn(build: Build) -> None:
    async with build(SET) as house:
        first = await going(house, "payment")
        second, _ = await house.ask("order")
        await house.until(lambda: "break_glass" in house.actions(second))
        await house.press(GRACE.id, second, "break_glass")
        await house.until(lambda: house.slack.views.top(GRACE.id) is not None)
        form = house.slack.views.top(GRACE.id)
        assert form is not None
        assert WAITS.format("payment") in str(form.body)
        await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
        assert await house.told(second) == ["Succeeded"]
        await house.until(lambda: f"payment was being switched at that time ({first})" in house.says(second))
        (broken,) = house.gate(second)["broken"]
        assert (broken["rule"], broken["domain"], broken["deployment"]) == ("turn_taken", "payment", first)


async def test_rescues_and_undos_wait_for_nobody(build: Build) -> None:
    async with build(SET) as house:
        done, _ = await house.ask("order")
        await house.approve(OLU.id, done)
        assert await house.told(done) == ["Succeeded"]
        house.aws.play_until(lambda: house.aws.deployment(done).status == "Succeeded")
        await house.until(lambda: "undo" in house.actions(done) and "Finished" in house.says(done))
        await going(house, "payment")

        rescue = house.aws.deploy("auth", creator="codeDeployRollback")
        assert await house.told(rescue) == ["Succeeded"]
        await house.press(OLU.id, done, "undo")
        await house.until(lambda: house.slack.views.top(OLU.id) is not None)
        form = house.slack.views.top(OLU.id)
        assert form is not None
        await house.slack.submit_async(OLU.id, form.id, {"reason": "wrong totals"})

        def undoing() -> str | None:
            rows = house.rows("SELECT deployment_id FROM interventions")
            found: str | None = rows[0]["deployment_id"]
            return found

        await house.until(undoing)
        assert await house.told(undoing() or "") == ["Succeeded"]


async def test_a_domain_that_approves_itself_waits_its_turn_and_takes_it(build: Build) -> None:
    checks = 'required_checks = ["smoke"]\napprove_when_checks_pass = true\n'
    async with build(SET, order=checks) as house:
        first = await going(house, "payment")
        second, _ = await house.ask("order")
        await outsiders.alters(
            house,
            "INSERT INTO checks (account, region, deployment_id, name, state, told_by, told_at)"
            " SELECT account, region, deployment_id, 'smoke', 'passed', 'api:ci', now() FROM switches"
            " WHERE deployment_id = %s",
            second,
        )
        house.service.rule_errands.told()
        await house.service.rule_errands.approve.settle()
        assert house.gate(second)["phase"] == "awaiting"
        await come_through(house, "payment", first)
        assert await house.told(second) == ["Succeeded"]
        assert house.gate(second)["basis"] == "checks"


async def test_a_domain_goes_after_another_and_alone_where_that_one_rests(build: Build) -> None:
    async with build(order='after = ["auth"]\n') as house:
        alone, _ = await house.ask("order")
        await house.approve(OLU.id, alone)
        assert await house.told(alone) == ["Succeeded"]
        house.aws.play_until(lambda: house.aws.deployment(alone).status == "Succeeded")

        first, _ = await house.ask("auth", config=CANARY)
        second, _ = await house.ask("order")
        await house.until(lambda: "auth goes first, and its switch still waits" in house.says(second))
        await refused(house, OLU.id, second, "auth goes first")
        await house.approve(MINA.id, first)
        assert await house.told(first) == ["Succeeded"]
        await house.until(lambda: "auth goes first, and is being switched" in house.says(second))
        house.aws.play_until(lambda: house.aws.share("auth")["green"] == 10)
        await come_through(house, "auth", first)
        await house.until(lambda: "auth goes first" not in house.says(second))
        await house.approve(OLU.id, second)
        assert await house.told(second) == ["Succeeded"]


async def test_a_domain_that_was_to_go_first_and_was_rejected_is_not_waited_for(build: Build) -> None:
    async with build(order='after = ["auth"]\n') as house:
        first, _ = await house.ask("auth")
        second, _ = await house.ask("order")
        await house.until(lambda: "auth goes first" in house.says(second))
        await house.reject(OLU.id, first, "no")
        await house.until(
            lambda: "auth goes before this one, but its switch was rejected" in house.says(second)
        )
        await house.approve(OLU.id, second)
        assert await house.told(second) == ["Succeeded"]


async def test_who_stands_in_line_still_ends_at_the_deadline(build: Build) -> None:
    async with build(SET) as house:
        await going(house, "payment")
        second, _ = await house.ask("order")
        house.clock.advance(minutes=56)
        assert await house.told(second) == ["Failed"]
        assert house.gate(second)["verdict"] == "expired"


async def test_two_presses_at_the_same_moment_let_one_of_a_set_through(build: Build) -> None:
    async with build('exclusive = "all"\n') as house:
        domains = ("order", "payment", "auth", "hub", "delivery")
        asked = [(await house.ask(domain, config=CANARY))[0] for domain in domains]
        people = (MINA.id, OLU.id, GRACE.id, MINA.id, OLU.id)
        await asyncio.gather(
            *(house.approve(user, deployment) for user, deployment in zip(people, asked, strict=True))
        )
        verdicts = [house.gate(deployment)["verdict"] for deployment in asked]
        assert sorted(verdicts, key=str) == [None, None, None, None, "approved"]


async def test_what_the_rules_say_of_turns(build: Build) -> None:
    async with build(SET, order='after = ["hub"]\nexclusive_until = "finished"\n') as house:
        rules = await say(house, OLU.id, "rules order")
        assert (
            "it is not switched while one of these is, nor one of these while it is: auth, payment." in rules
        )
        assert "It keeps its turn until blue is gone." in rules
        assert "These go first, whenever a switch of theirs waits or is under way: hub." in rules
        assert "한 번에 하나씩: 다음 도메인과 동시에 전환하지 않습니다: order, payment" in await say(
            house, MINA.id, "who auth"
        )
