"""What a card says, over the wire: everything that one needs for the answer, and then what became of it."""

from dataclasses import replace

import boto3
import pytest

from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from app.sandbox.people import GRACE, JUN, MINA, OLU
from tests.harness import Harness, text_of
from tests.slack.play import TWO_APPROVALS, Build, buttons_of

SLOWLY = tuple(
    replace(domain, config="CodeDeployDefault.ECSCanary10Percent5Minutes")
    if domain.name == "order"
    else replace(domain, config="CodeDeployDefault.ECSLinear10PercentEvery1Minutes")
    if domain.name == "payment"
    else domain
    for domain in EIGHT_DOMAINS
)

SAYS = {
    "en": {
        "asks": "order 1.41.0 → 1.42.0: approve?",
        "health": ":white_check_mark: *Healthy:* 2/2 tasks · 2/2 targets · no alarms firing",
        "title and deployer": f"*v1.4.2* · deployed by <@{JUN.id}>",
        "what changes": "`1.41.0` → `1.42.0`",
        "rollout and deadline": "canary: 10%, then the rest after 5 min · expires <!date^",
        "approvers": f"Approvers: <!subteam^S0ONCALL>, <@{GRACE.id}>",
        "ids": "klp-logistics-order-app / klp-logistics-order-dg",
        "notification": "order 1.41.0 → 1.42.0: approve? Expires at <!date^",
    },
    "ko": {
        "asks": "order 1.41.0 → 1.42.0: 승인 요청",
        "health": ":white_check_mark: *그린 정상:* 태스크 2/2 · 대상 2/2 · 발생한 알람 없음",
        "title and deployer": f"*v1.4.2* · 배포자 <@{JUN.id}>",
        "what changes": "`1.41.0` → `1.42.0`",
        "rollout and deadline": "카나리: 10% 전환 후 5분 뒤 나머지 · <!date^",
        "approvers": f"승인자: <!subteam^S0ONCALL>, <@{GRACE.id}>",
        "ids": "klp-logistics-order-app / klp-logistics-order-dg",
        "notification": "order 1.41.0 → 1.42.0: 승인 요청. 만료: <!date^",
    },
}


@pytest.mark.parametrize("locale", ["en", "ko"])
async def test_a_waiting_card_says_all_that_one_needs_for_the_answer(build: Build, locale: str) -> None:
    async with build(locale=locale, domains=SLOWLY) as harness:
        harness.aws.register_revision("order", "1.42.0")
        deployment, _ = await harness.open_gate("order", description="v1.4.2 github-actor=jun-lee")
        expected = SAYS[locale]
        await harness.until(lambda: expected["health"] in harness.card_text(deployment))
        await harness.until(lambda: expected["rollout and deadline"] in harness.card_text(deployment))
        says = harness.card_text(deployment)
        assert [name for name, words in expected.items() if words not in says] == []
        assert "github-actor" not in says
        console = "https://ap-northeast-2.console.aws.amazon.com/codesuite/codedeploy/deployments/"
        assert f"<{console}{deployment}?region=ap-northeast-2|{deployment}>" in says


@pytest.mark.parametrize(
    ("locale", "approve", "title", "yes"),
    [
        ("en", "Approve", "Switch order to green?", "Switch to green"),
        ("ko", "승인", "order 트래픽을 그린으로 전환할까요?", "그린으로 전환"),
    ],
)
async def test_approve_asks_back_and_names_the_domain_and_the_consequence(
    build: Build, locale: str, approve: str, title: str, yes: str
) -> None:
    async with build(locale=locale) as harness:
        _, card = await harness.open_gate("order")
        button = buttons_of(card)["approve"]
        assert (button["text"]["text"], button["style"]) == (approve, "primary")
        assert (button["confirm"]["title"]["text"], button["confirm"]["confirm"]["text"]) == (title, yes)
        assert button["accessibility_label"].startswith({"en": "Approve order", "ko": "order"}[locale])
        primary = [each for each in buttons_of(card).values() if each.get("style") == "primary"]
        assert len(primary) == 1


async def test_approve_promises_that_traffic_moves_only_where_nothing_else_is_missing(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, _ = await harness.open_gate("order")
        confirmation = asked_back(harness, deployment)
        assert confirmation.startswith("Approve order? Once every rule is met: order")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: asked_back(harness, deployment).startswith("Switch order to green?"))
        assert "Once every rule" not in asked_back(harness, deployment)


def asked_back(harness: Harness, deployment: str) -> str:
    """The confirmation that the client shows to whoever presses Approve on the card."""
    confirmation = buttons_of(harness.card(deployment))["approve"]["confirm"]
    return f"{confirmation['title']['text']} {confirmation['text']['text']}"


async def test_how_traffic_moves_is_said_for_every_kind_of_shift(build: Build) -> None:
    async with build(domains=SLOWLY) as harness:
        linear, _ = await harness.open_gate("payment")
        at_once, _ = await harness.open_gate("hub")
        await harness.until(lambda: "linear: 10% every 1 min" in harness.card_text(linear))
        await harness.until(lambda: "all traffic immediately" in harness.card_text(at_once))


async def test_the_form_of_a_rejection_names_domain_and_deployment(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.press(OLU.id, deployment, "reject")
    await harness.until(lambda: harness.slack.views.top(OLU.id))
    form = harness.slack.views.top(OLU.id)
    assert form is not None
    assert form.body["blocks"][0]["text"]["text"] == (
        f"Production traffic of *order* stays on blue and {deployment} fails."
    )


async def test_a_decided_card_says_who_and_when_and_why_and_what_codedeploy_answered(
    harness: Harness,
) -> None:
    approved, _ = await harness.open_gate("order")
    rejected, _ = await harness.open_gate("payment")
    await harness.approve(MINA.id, approved)
    await harness.reject(OLU.id, rejected, "the partner is down")
    await harness.until(
        lambda: (
            "result: Succeeded" in harness.card_text(approved)
            and "result: Failed" in harness.card_text(rejected)
        )
    )
    assert f"approved by <@{MINA.id}>, <!date^" in harness.card_text(approved)
    assert f"*Rejected* by <@{OLU.id}>, <!date^" in harness.card_text(rejected)
    assert "> the partner is down" in harness.card_text(rejected)
    for deployment in (approved, rejected):
        assert harness.actions(deployment) & {"approve", "reject"} == set()
        assert "CodeDeploy hook result" in harness.card_text(deployment)


async def test_the_buttons_go_before_codedeploy_has_answered(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "throttle", times=None)
    await harness.approve(MINA.id, deployment)
    not_yet = (
        "Sending to CodeDeploy",
        "CodeDeploy hasn't accepted the decision yet",
    )  # the latter once a try failed
    await harness.until(lambda: any(words in harness.card_text(deployment) for words in not_yet))
    assert harness.actions(deployment) & {"approve", "reject"} == set()
    assert "CodeDeploy hook result" not in harness.card_text(deployment)
    harness.aws.faults.clear()
    await harness.until(lambda: "CodeDeploy hook result" in harness.card_text(deployment))


async def test_an_answer_that_somebody_else_gave_before_is_shown_as_a_contradiction(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add(
        "GetDeployment", "throttle", times=None
    )  # else a look may find it failed, and the gate ends
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=deployment,
        lifecycleEventHookExecutionId=harness.gate(deployment)["execution_id"],
        status="Failed",
    )
    await harness.approve(OLU.id, deployment)
    await harness.until(
        lambda: "CodeDeploy recorded a different result: Failed" in harness.card_text(deployment)
    )
    assert harness.gate(deployment)["outcome"] == "conflict"
    harness.aws.faults.clear()


async def test_an_answer_that_could_not_be_delivered_is_shown(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "access_denied", times=None)
    await harness.reject(OLU.id, deployment, "no")
    await harness.until(
        lambda: "CodeDeploy hasn't accepted the decision yet" in harness.card_text(deployment)
    )
    harness.clock.advance(minutes=70)
    await harness.until(lambda: "Couldn't deliver the decision" in harness.card_text(deployment), timeout=15)
    assert harness.gate(deployment)["outcome"] == "undeliverable"


async def test_what_codedeploy_has_not_confirmed_shows_no_buttons(harness: Harness) -> None:
    for operation in ("GetDeployment", "BatchGetDeployments"):
        harness.aws.faults.add(operation, "throttle", times=None)
    deployment = await harness.deploy("order")
    await harness.until(lambda: "not confirmed yet" in harness.card_text(deployment))
    assert harness.actions(deployment) == set()
    harness.aws.faults.clear()
    harness.clock.advance(minutes=1)
    await harness.until(lambda: "approve" in harness.actions(deployment))


async def test_an_automatic_rollback_says_that_it_needs_no_approval(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.stop_deployment(deployment)
    harness.clock.advance(minutes=1)
    await harness.until(lambda: "*Closed*" in harness.card_text(deployment))
    await harness.until(lambda: any("*Automatic rollback*" in text_of(card) for card in harness.cards()))
    rollback = next(card for card in harness.cards() if "*Automatic rollback*" in text_of(card))
    assert deployment in text_of(rollback)
    assert buttons_of(rollback) == {}
