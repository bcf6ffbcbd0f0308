"""Several at once: one form, each gate by its own rules, the results one by one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.delivery.answers import SubmitResult
from app.sandbox.slack.state.shapes import User, View
from tests.flow import outsiders
from tests.harness import Harness, texts_in
from tests.postgres_line import Line, line_to
from tests.slack.home.test_home import look, press, says
from tests.slack.play import Build, decisions, gate_held, press_waits, votes, wait_for_reply

CROWDED = tuple(SandboxDomain(f"d{n:02}", 9100 + n) for n in range(33))


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    async with line_to(database_url) as whole:
        yield whole
        await whole.mend()


async def say(harness: Harness, user: User, words: str) -> str:
    """What `/deploys approve …` answers; empty where a form opens instead."""
    said = await harness.slack.slash_async(user.id, CHANNEL.id, "/deploys", f"approve {words}".strip())
    assert said.ack.acked
    return said.message.text if said.message else ""


async def form(harness: Harness, user: User, words: str) -> View:
    """The form that `/deploys approve …` opens."""
    assert await say(harness, user, words) == ""
    await harness.until(lambda: harness.slack.views.top(user.id))
    return top(harness, user)


def top(harness: Harness, user: User) -> View:
    view = harness.slack.views.top(user.id)
    assert view is not None
    return view


def boxes(view: View) -> list[dict[str, Any]]:
    """The groups of checkboxes."""
    elements = [block.get("element", {}) for block in view.body["blocks"]]
    return [element for element in elements if element.get("type") == "checkboxes"]


def options(view: View) -> dict[str, str]:
    """The value of each box, by the text beside it."""
    return {option["text"]["text"]: option["value"] for group in boxes(view) for option in group["options"]}


def ticked(view: View) -> list[str]:
    return [option["text"]["text"] for group in boxes(view) for option in group.get("initial_options", [])]


def told(result: SubmitResult) -> str:
    """What the form turned into."""
    assert result.outcome == "updated", result
    assert result.view is not None
    return "\n".join(texts_in(result.view.body["blocks"]))


async def test_two_domains_are_approved_by_one_submit(harness: Harness) -> None:
    order, _ = await harness.open_gate("order", description="v1.4.2: delivery fee")
    payment, _ = await harness.open_gate("payment")
    other, _ = await harness.open_gate("hub")
    await harness.until(lambda: "Healthy:" in harness.card_text(order) + harness.card_text(payment))
    shown = await form(harness, OLU, "Order, payment order")
    assert ticked(shown) == [f"order · {order}", f"payment · {payment}"]
    assert other not in str(shown.body)
    said = "\n".join(texts_in(shown.body["blocks"]))
    assert "v1.4.2: delivery fee" in said
    assert "follows its own rules" in said
    result = told(await harness.slack.submit_async(OLU.id, shown.id, {}))
    assert "2 of 2 approvals recorded." in result
    for domain, deployment in (("order", order), ("payment", payment)):
        assert f"{domain} approved. Sending to CodeDeploy" in result
        assert deployment in result
        assert await harness.reported(deployment) == ["Succeeded"]
        assert votes(harness, deployment) == [OLU.id]
    assert harness.gate(other)["phase"] == "awaiting"


async def test_each_is_decided_by_its_own_rules_and_reported_one_by_one(build: Build) -> None:
    config = config_text(
        payment="approvals = 2\n", hub='required_checks = ["smoke"]\n', auth=f'approvers = ["{GRACE.id}"]\n'
    )
    async with build(config=config) as harness:
        waiting = {name: (await harness.open_gate(name))[0] for name in ("order", "payment", "hub", "auth")}
        shown = await form(harness, MINA, "order payment hub auth user")
        assert ticked(shown) == [f"order · {waiting['order']}", f"payment · {waiting['payment']}"]
        said = "\n".join(texts_in(shown.body["blocks"]))
        assert "“smoke” 검사 결과가 아직 없습니다." in said
        assert "이 배포의 승인자가 아닙니다." in said
        assert "지금 승인할 수 있습니다. 추가로 필요한 조건:" in said
        assert "대기 중인 배포가 없는 도메인: user" in said
        result = told(await harness.slack.submit_async(MINA.id, shown.id, {}))
        assert "2건 중 2건 승인이 기록되었습니다." in result
        assert "1명의 승인이 더 필요합니다" in result
        assert await harness.reported(waiting["order"]) == ["Succeeded"]
        assert harness.gate(waiting["payment"])["phase"] == "awaiting"
        assert votes(harness, waiting["payment"]) == [MINA.id]
        assert votes(harness, waiting["hub"]) + votes(harness, waiting["auth"]) == []


async def test_what_changed_while_the_form_was_open_is_reported_and_not_decided(build: Build) -> None:
    async with build() as harness:
        waiting = {name: (await harness.open_gate(name))[0] for name in ("order", "payment", "hub", "auth")}
        shown = await form(harness, OLU, "order payment hub auth")
        await harness.approve(GRACE.id, waiting["order"])
        await harness.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "freeze payment for 1h inventory")
        await harness.reject(GRACE.id, waiting["hub"], "it is slow")
        result = told(await harness.slack.submit_async(OLU.id, shown.id, {}))
        assert f"<@{GRACE.id}> already approved order" in result
        assert "payment can't be approved right now" in result
        assert "inventory" in result
        assert f"<@{GRACE.id}> already rejected hub" in result
        assert "auth approved. Sending to CodeDeploy" in result
        assert "1 of 4 approvals recorded." in result
        assert await harness.reported(waiting["hub"]) == ["Failed"]
        assert harness.gate(waiting["payment"])["phase"] == "awaiting"


async def test_a_vote_for_an_older_prompt_version_does_not_decide(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    shown = await form(harness, OLU, "order")
    (value,) = options(shown).values()
    older = value.replace(f".{value.rpartition('.')[2]}", ".999")
    result = told(await harness.slack.submit_async(OLU.id, shown.id, {"gates.0": [older]}))
    assert "This deployment changed" in result
    assert harness.gate(deployment)["phase"] == "awaiting"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("", "Usage: `/deploys approve order payment`"),
        ("ordr payment", "Unknown domains: ordr (did you mean order?). Nothing was approved."),
        ("<!channel> `x`", "Nothing was approved."),
        ("order payment", "Nothing is waiting in order, payment."),
    ],
)
async def test_unclear_arguments_are_reported_and_nothing_is_approved(
    harness: Harness, words: str, answer: str
) -> None:
    deployment, _ = await harness.open_gate("hub")
    said = await say(harness, OLU, words)
    assert answer in said
    assert "<!channel>" not in said
    assert harness.slack.views.top(OLU.id) is None
    assert harness.gate(deployment)["phase"] == "awaiting"


async def test_where_nothing_may_be_approved_the_form_says_why_and_has_no_submit(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    shown = await form(harness, JUN, "order")
    assert "submit" not in shown.body
    assert "지금 승인할 수 있는 배포가 없습니다." in str(shown.body)
    assert "승인자가 아닙니다" in str(shown.body)
    assert deployment in str(shown.body)


async def test_of_several_gates_of_a_domain_the_person_picks(harness: Harness) -> None:
    first, _ = await harness.open_gate("order")
    second, _ = await harness.open_gate("payment")
    await outsiders.alters(harness, "UPDATE switches SET domain = 'order' WHERE deployment_id = %s", second)
    shown = await form(harness, OLU, "order")
    assert set(options(shown)) == {f"order · {first}", f"order · {second}"}
    assert ticked(shown) == []
    nothing = await harness.slack.submit_async(OLU.id, shown.id, {"gates.0": []}, bypass_client_checks=True)
    assert nothing.errors == {"gates.0": "Select at least one."}
    await harness.slack.submit_async(OLU.id, shown.id, {"gates.0": [options(shown)[f"order · {first}"]]})
    assert await harness.reported(first) == ["Succeeded"]
    assert harness.gate(second)["phase"] == "awaiting"


async def test_a_reason_is_required_if_one_of_them_requires_it(build: Build) -> None:
    async with build(config=config_text(payment='reason = "always"\n')) as harness:
        order, _ = await harness.open_gate("order")
        payment, _ = await harness.open_gate("payment")
        shown = await form(harness, OLU, "order payment")
        silent = await harness.slack.submit_async(OLU.id, shown.id, {})
        assert silent.errors == {"reason": "Please give a reason (one sentence is enough)."}
        assert votes(harness, order) == []
        result = told(await harness.slack.submit_async(OLU.id, shown.id, {"reason": "ordered one on green"}))
        assert "2 of 2" in result
        reasons = harness.rows("SELECT reason FROM votes")
        assert reasons == [{"reason": "ordered one on green"}] * 2
        assert await harness.reported(payment) == ["Succeeded"]


async def test_one_that_asks_no_reason_is_approved_without_it_beside_one_that_does(build: Build) -> None:
    async with build(config=config_text(payment='reason = "always"\n')) as harness:
        order, _ = await harness.open_gate("order")
        await harness.open_gate("payment")
        shown = await form(harness, OLU, "order payment")
        only = [options(shown)[f"order · {order}"]]
        assert "1 of 1" in told(await harness.slack.submit_async(OLU.id, shown.id, {"gates.0": only}))


async def test_the_same_submission_twice_decides_once_and_says_the_same(build: Build) -> None:
    async with build(socket_mode=False, config=config_text(payment="approvals = 2\n")) as harness:
        order, _ = await harness.open_gate("order")
        payment, _ = await harness.open_gate("payment")
        shown = await form(harness, OLU, "order payment")
        await harness.slack.submit_async(OLU.id, shown.id, {})
        again = await harness.slack.replay_async()
        assert again.status == 200
        assert isinstance(again.body, dict)
        said = "\n".join(texts_in(again.body["view"]["blocks"]))
        assert "2 of 2 approvals recorded." in said
        assert "order approved. Sending to CodeDeploy" in said
        assert (decisions(harness, order), votes(harness, order)) == (1, [OLU.id])
        assert (decisions(harness, payment), votes(harness, payment)) == (0, [OLU.id])
        assert harness.audit(payment).count("vote_cast") == 1


async def test_from_home_what_i_may_approve_is_picked(build: Build) -> None:
    config = config_text(auth=f'approvers = ["{GRACE.id}"]\n', hub='required_checks = ["smoke"]\n')
    async with build(config=config) as harness:
        waiting = {name: (await harness.open_gate(name))[0] for name in ("order", "payment", "hub", "auth")}
        await look(harness, OLU, waiting["payment"])
        await press(harness, OLU, "approve_several")
        await harness.until(lambda: harness.slack.views.top(OLU.id))
        shown = top(harness, OLU)
        assert set(options(shown)) == {f"order · {waiting['order']}", f"payment · {waiting['payment']}"}
        assert ticked(shown) == []
        assert (await harness.slack.submit_async(OLU.id, shown.id, {})).outcome == "not_sent"
        result = await harness.slack.submit_async(
            OLU.id, shown.id, {"gates.0": list(options(shown).values())}
        )
        assert "2 of 2" in told(result)
        await harness.until(lambda: "*order*  :white_check_mark:" in says(harness, OLU))


async def test_more_than_one_group_of_boxes_and_more_than_fit(build: Build) -> None:
    async with build(domains=CROWDED) as harness:
        for domain in CROWDED:
            harness.aws.deploy(domain.name)
        await harness.until(lambda: len(harness.rows("SELECT 1 FROM gates g")) == len(CROWDED))
        await look(harness, OLU, "33 waiting for you")
        await press(harness, OLU, "approve_several")
        await harness.until(lambda: harness.slack.views.top(OLU.id))
        shown = top(harness, OLU)
        assert [len(group["options"]) for group in boxes(shown)] == [10, 10, 10]
        assert "3 more not shown here" in str(shown.body)
        some = [[option["value"] for option in group["options"]] for group in boxes(shown)]
        values = {"gates.0": some[0], "gates.1": [], "gates.2": some[2][:1]}
        result = await harness.slack.submit_async(OLU.id, shown.id, values)
        await harness.until(lambda: "11 of 11" in str(top(harness, OLU).body))
        assert result.outcome == "updated"
        assert len(harness.rows("SELECT 1 FROM gates WHERE verdict = 'approved'")) == 11


async def test_a_gate_that_somebody_holds_does_not_hold_the_answer(harness: Harness) -> None:
    """The form says within Slack's ack timeout that the work goes on, and then the result of each."""
    order, _ = await harness.open_gate("order")
    payment, _ = await harness.open_gate("payment")
    shown = await form(harness, OLU, "order payment")
    async with gate_held(harness, order):
        submitted = await harness.slack.submit_async(OLU.id, shown.id, {})
        assert submitted.ack is not None
        assert submitted.ack.seconds < 3
        assert "The results will appear here" in told(submitted)
        await harness.until(lambda: "1 of 2 approvals recorded." in str(top(harness, OLU).body))
        said = str(top(harness, OLU).body)
        assert "Not recorded" in said
        assert "payment approved. Sending to CodeDeploy" in said
    assert await harness.reported(payment) == ["Succeeded"]
    assert harness.gate(order)["phase"] == "awaiting"


async def test_results_of_a_form_that_was_closed_come_as_a_message(harness: Harness) -> None:
    order, _ = await harness.open_gate("order")
    payment, _ = await harness.open_gate("payment")
    shown = await form(harness, OLU, "order payment")
    async with gate_held(harness, order):
        await harness.slack.submit_async(OLU.id, shown.id, {})
        await harness.slack.close_async(OLU.id, shown.id)
        direct = harness.slack.people.direct_channel(OLU).id
        await harness.until(
            lambda: any(
                "1 of 2 approvals recorded." in message.text
                for message in harness.slack.messages.in_channel(direct)
            )
        )
    assert await harness.reported(payment) == ["Succeeded"]


async def test_a_database_that_goes_away_in_the_middle(build: Build, line: Line, database_url: str) -> None:
    async with build(database_url=line.url) as harness:
        harness.database_url = database_url
        order, _ = await harness.open_gate("order")
        payment, _ = await harness.open_gate("payment")
        shown = await form(harness, OLU, "order payment")
        async with gate_held(harness, payment) as holder:
            submitting = asyncio.ensure_future(harness.slack.submit_async(OLU.id, shown.id, {}))
            await harness.until(lambda: votes(harness, order) and press_waits(harness, holder))
            await line.cut()
            await submitting
            await harness.until(lambda: "1 of 2 approvals recorded." in str(top(harness, OLU).body))
        assert "unclear whether this was recorded" in str(top(harness, OLU).body)
        await line.mend()
        assert await harness.reported(order) == ["Succeeded"]
        assert votes(harness, payment) == []


async def test_a_form_that_slack_does_not_open_is_reported(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error("views.open", "internal_error")
    assert await say(harness, OLU, "order") == ""
    await wait_for_reply(harness, OLU, "Slack couldn't open the form. Nothing was approved")
    assert harness.gate(deployment)["phase"] == "awaiting"


async def test_an_unreachable_database_is_reported(build: Build, line: Line, database_url: str) -> None:
    async with build(database_url=line.url) as harness:
        harness.database_url = database_url
        deployment, _ = await harness.open_gate("order")
        await look(harness, OLU, deployment)
        await line.cut()
        assert "Can't reach the database" in await say(harness, OLU, "order")
        await press(harness, OLU, "home_refresh")
        await harness.until(lambda: "can't be shown. Click Refresh" in says(harness, OLU))
        await line.mend()
        harness.clock.advance(seconds=30)
        await harness.until(lambda: deployment in says(harness, OLU))


async def test_of_exclusive_domains_one_is_approved_and_home_shows_who_waits(build: Build) -> None:
    async with build(config=config_text(order='exclusive = ["payment"]\n')) as harness:
        order, _ = await harness.open_gate("order", config="CodeDeployDefault.ECSCanary10Percent5Minutes")
        payment, _ = await harness.open_gate("payment", config="CodeDeployDefault.ECSCanary10Percent5Minutes")
        shown = await form(harness, OLU, "order payment")
        result = told(await harness.slack.submit_async(OLU.id, shown.id, {}))

        assert "1 of 2 approvals recorded." in result
        assert "One at a time: order is switching" in result
        assert await harness.reported(order) == ["Succeeded"]
        assert harness.gate(payment)["phase"] == "awaiting"
        assert "One at a time: order is switching" in await look(harness, OLU, payment)
        again = await form(harness, OLU, "payment")
        assert "One at a time: order is switching" in "\n".join(texts_in(again.body["blocks"]))
        assert ticked(again) == []
