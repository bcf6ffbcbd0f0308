"""Who may decide: two people, own deployments, reasons, retracted votes, and break-glass."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from tests.harness import Harness, running_harness, text_of
from tests.slack.play import form_of

Build = Callable[..., AbstractAsyncContextManager[Harness]]


@pytest.fixture
def build(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A harness whose order domain has rules of its own, as lines of its table."""

    def built(order: str) -> AbstractAsyncContextManager[Harness]:
        return running_harness(tmp_path, database_url, monkeypatch, config=config_text(order=order))

    return built


async def wait_for_ephemeral(harness: Harness, user: str, words: str) -> None:
    """Waits until `user` got this reply."""
    await harness.until(lambda: words in harness.ephemerals(user))


async def press_in_ephemeral(harness: Harness, user: str, action: str) -> None:
    """Presses a button under the latest answer that only `user` sees."""
    message = harness.slack.messages.ephemerals(user)[-1]
    await harness.slack.press_async(user, message.channel, message.ts, action)


async def break_glass(harness: Harness, user: str, reason: str) -> str:
    """Fills in the form that is open and submits it; gives what the form said."""
    await harness.until(lambda: harness.slack.views.top(user) is not None)
    form = harness.slack.views.top(user)
    assert form is not None
    said = str(form.body["blocks"])
    await harness.slack.submit_async(user, form.id, {"glass_reason": reason})
    return said


def replies(harness: Harness, deployment: str) -> list[str]:
    """The replies in the thread of the deployment's card."""
    card = harness.card(deployment)
    return [text_of(message) for message in harness.slack.messages.replies(CHANNEL.id, card.ts)]


async def test_two_people_are_needed_and_the_first_may_think_again(build: Build) -> None:
    async with build("approvals = 2\n") as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await wait_for_ephemeral(harness, MINA.id, "승인이 기록되었습니다.")
        await wait_for_ephemeral(harness, MINA.id, "1명의 승인이 더 필요합니다")
        await harness.until(lambda: "1 more approval needed" in harness.card_text(deployment))

        await press_in_ephemeral(harness, MINA.id, "take_back")
        await wait_for_ephemeral(harness, MINA.id, "order 전환에 대한 결정을 취소했습니다.")
        await harness.until(lambda: "Approved by" not in harness.card_text(deployment))

        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: f"Approved by <@{OLU.id}>" in harness.card_text(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.press(JUN.id, deployment, "take_back")
        await wait_for_ephemeral(harness, JUN.id, "order 전환에 취소할 결정이 없습니다.")
        await harness.approve(GRACE.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert harness.audit(deployment).count("vote_retracted") == 1


async def test_who_deployed_is_found_by_e_mail_and_may_not_approve_it(build: Build) -> None:
    async with build("") as harness:
        harness.slack.credentials.scopes.add("users:read.email")
        harness.slack.people.alter(OLU.id, email="olu@example.com")
        deployment, _ = await harness.open_gate(
            "order", description="order 4f2a1c deployed-by=Olu@example.com"
        )
        await harness.until(lambda: f"<@{OLU.id}>" in harness.card_text(deployment))
        await harness.approve(OLU.id, deployment)
        await wait_for_ephemeral(harness, OLU.id, "You deployed order, so someone else")
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert "deployer_resolved" in harness.audit(deployment)


async def test_the_deployer_is_read_from_the_task_definition_too(build: Build) -> None:
    async with build("") as harness:
        harness.aws.register_revision("order", "v2", tags={"github-actor": "Mina-Kim"})
        deployment, _ = await harness.open_gate("order", description="order v2")
        await harness.until(lambda: f"<@{MINA.id}>" in harness.card_text(deployment))
        await harness.until(lambda: "deployer_resolved" in harness.audit(deployment))
        await harness.approve(MINA.id, deployment)
        await wait_for_ephemeral(harness, MINA.id, "본인이 배포한")
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_without_the_scope_for_addresses_the_deployer_stays_unknown_and_two_are_asked(
    build: Build,
) -> None:
    async with build('unknown_deployer = "ask-two"\n') as harness:
        harness.slack.people.alter(OLU.id, email="olu@example.com")
        deployment, _ = await harness.open_gate("order", description="deployed-by=olu@example.com")
        await harness.approve(OLU.id, deployment)
        await wait_for_ephemeral(harness, OLU.id, "Deployer unknown, so two people must approve")
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_second_group_must_give_an_approval_of_its_own(build: Build) -> None:
    async with build(f'require = [{{ from = "{JUN.id}" }}]\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await wait_for_ephemeral(harness, OLU.id, f"1 more approval needed: <@{JUN.id}>.")
        await harness.until(lambda: f"1 more approval needed: <@{JUN.id}>." in harness.card_text(deployment))
        await harness.approve(JUN.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_approve_asks_for_a_reason_if_the_rules_do(build: Build) -> None:
    async with build('reason = "always"\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
        form = harness.slack.views.top(OLU.id)
        assert form is not None
        blank = await harness.slack.submit_async(OLU.id, form.id, {"reason": "  "}, bypass_client_checks=True)
        assert blank.errors == {"reason": "Please give a reason (one sentence is enough)."}
        await harness.slack.submit_async(OLU.id, form.id, {"reason": "ordered one on green"})
        assert await harness.reported(deployment) == ["Succeeded"]
        assert harness.rows("SELECT reason FROM votes") == [{"reason": "ordered one on green"}]
        assert "vote_denied" not in harness.audit(deployment)


async def test_a_majority_has_to_reject_where_the_rules_say_so(build: Build) -> None:
    async with build('approvals = 2\nreject = "majority"\n') as harness:
        deployment, _ = await harness.open_gate("order")
        form = await form_of(harness, GRACE, deployment, "reject")
        assert "If 1 more person rejects" in str(form.body)
        await harness.slack.submit_async(GRACE.id, form.id, {"reason": "slow"})
        await harness.until(lambda: f"Rejected by <@{GRACE.id}>" in harness.card_text(deployment))
        form = await form_of(harness, OLU, deployment, "reject")
        assert "stays on blue and" in str(form.body)
        assert "more" not in str(form.body["blocks"][0])
        await harness.slack.submit_async(OLU.id, form.id, {"reason": "too slow"})
        assert await harness.reported(deployment) == ["Failed"]
        assert harness.gate(deployment)["reason"] == "too slow"
        await harness.until(
            lambda: f"*Rejected* by <@{GRACE.id}>, <@{OLU.id}>" in harness.card_text(deployment)
        )
        assert "“slow”" in harness.card_text(deployment)
        assert "“too slow”" in harness.card_text(deployment)


async def test_no_reason_is_asked_where_the_rules_ask_none(build: Build) -> None:
    async with build('reason = "never"\n') as harness:
        deployment, _ = await harness.open_gate("order")
        assert (await harness.reject(OLU.id, deployment, "")).outcome == "closed"
        assert await harness.reported(deployment) == ["Failed"]
        await harness.until(lambda: "Rejected" in harness.card_text(deployment))
        assert "> -" not in harness.card_text(deployment)


async def test_an_admin_uses_break_glass_publicly(build: Build) -> None:
    async with build("approvals = 3\n") as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(GRACE.id, deployment)
        await wait_for_ephemeral(harness, GRACE.id, "2 more approvals needed")
        await press_in_ephemeral(harness, GRACE.id, "break_glass")
        said = await break_glass(harness, GRACE.id, "customers cannot pay")
        assert "2 more approvals needed" in said

        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: "overrode the rules" in harness.card_text(deployment))
        assert "2 approvals missing from" in harness.card_text(deployment)
        assert "customers cannot pay" in harness.card_text(deployment)
        said = f"<@{GRACE.id}> approved *order*"
        await harness.until(lambda: [reply for reply in replies(harness, deployment) if said in reply])
        announced = next(reply for reply in replies(harness, deployment) if said in reply)
        assert "customers cannot pay" in announced
        broadcast = [one for one in harness.slack.messages.in_channel(CHANNEL.id) if one.broadcast]
        assert [one.text for one in broadcast] == [announced.splitlines()[0]], "it stands in the channel, too"
        assert [card.ts for card in harness.cards()] == [broadcast[0].thread_ts], "and is no card"
        gate = harness.gate(deployment)
        assert (gate["basis"], gate["decided_by"], gate["reason"]) == (
            "break_glass",
            GRACE.id,
            "customers cannot pay",
        )
        assert [rule["rule"] for rule in gate["overridden_rules"]] == ["approvals_required"]
        assert harness.audit(deployment).count("break_glass_used") == 1


async def test_an_earlier_approver_did_not_use_break_glass(build: Build) -> None:
    async with build("approvals = 3\n") as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await wait_for_ephemeral(harness, OLU.id, "2 more approvals needed")
        await harness.approve(GRACE.id, deployment)
        await wait_for_ephemeral(harness, GRACE.id, "1 more approval needed")
        await press_in_ephemeral(harness, GRACE.id, "break_glass")
        await break_glass(harness, GRACE.id, "customers cannot pay")
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: f"*Break glass:* <@{GRACE.id}> overrode" in harness.card_text(deployment))


async def test_who_had_approved_did_not_reject(build: Build) -> None:
    async with build("approvals = 2\n") as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await wait_for_ephemeral(harness, MINA.id, "승인이 기록되었습니다.")
        await harness.reject(OLU.id, deployment, "two orders are missing")
        assert await harness.reported(deployment) == ["Failed"]
        await harness.until(lambda: f"*Rejected* by <@{OLU.id}>" in harness.card_text(deployment))


async def test_nobody_but_an_admin_is_offered_or_given_the_way_around(build: Build) -> None:
    async with build('approvals = 3\nrequired_checks = ["smoke"]\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await wait_for_ephemeral(harness, OLU.id, "Check “smoke” hasn't reported yet.")
        assert "break_glass" not in str(harness.slack.messages.ephemerals(OLU.id)[-1].blocks)
        assert "break_glass" in harness.actions(deployment)
        await harness.press(OLU.id, deployment, "break_glass")
        await wait_for_ephemeral(harness, OLU.id, f"Only admins can break glass: <@{GRACE.id}>.")
        assert harness.slack.views.top(OLU.id) is None
        assert harness.gate(deployment)["phase"] == "awaiting"


async def test_an_announcement_whose_answer_was_lost_is_not_said_twice(build: Build) -> None:
    async with build("approvals = 3\n") as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(GRACE.id, deployment)
        await wait_for_ephemeral(harness, GRACE.id, "more approvals needed")
        harness.slack.faults.lose_answer("chat.postMessage")
        await press_in_ephemeral(harness, GRACE.id, "break_glass")
        await break_glass(harness, GRACE.id, "customers cannot pay")
        await harness.until(lambda: harness.rows("SELECT ts FROM announcements WHERE ts IS NOT NULL"))
        announced = [text for text in replies(harness, deployment) if "against the rules" in text]
        assert len(announced) == 1
