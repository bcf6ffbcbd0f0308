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

LABELS = {
    "en": {
        "asks": "order: switch production traffic to green?",
        "deployment": "*Deployment*",
        "group": "*Application / group*\nklp-logistics-order-app / klp-logistics-order-dg",
        "creator": f"*Created by*\n<@{JUN.id}>",
        "description": "*Description*\n> v1.4.2 github-actor=jun-lee",
        "traffic": "*Traffic moves*\ncanary: 10 % first, the rest after 5 min",
        "port": "*Listener port*\n8020",
        "opened": "*Waiting since*\n<!date^",
        "deadline": "*Deadline*\n<!date^",
        "who": f"*Who may decide*\n<!subteam^S0ONCALL>, <@{GRACE.id}>",
        "no": "No answer by the deadline is a no",
    },
    "ko": {
        "asks": "order: 운영 트래픽을 그린으로 전환할까요?",
        "deployment": "*배포*",
        "group": "*애플리케이션 / 그룹*\nklp-logistics-order-app / klp-logistics-order-dg",
        "creator": f"*만든 사람*\n<@{JUN.id}>",
        "description": "*설명*\n> v1.4.2 github-actor=jun-lee",
        "traffic": "*트래픽 이동 방식*\n카나리: 먼저 10 %, 5분 뒤 나머지",
        "port": "*리스너 포트*\n8020",
        "opened": "*대기 시작*\n<!date^",
        "deadline": "*기한*\n<!date^",
        "who": f"*결정할 수 있는 사람*\n<!subteam^S0ONCALL>, <@{GRACE.id}>",
        "no": "기한까지 답이 없으면 거절",
    },
}


@pytest.mark.parametrize("locale", ["en", "ko"])
async def test_a_waiting_card_says_all_that_one_needs_for_the_answer(build: Build, locale: str) -> None:
    async with build(locale=locale, domains=SLOWLY) as harness:
        deployment, _ = await harness.open_gate("order", description="v1.4.2 github-actor=jun-lee")
        await harness.until(lambda: LABELS[locale]["traffic"] in harness.card_text(deployment))
        says = harness.card_text(deployment)
        assert [name for name, words in LABELS[locale].items() if words not in says] == []
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
        assert "order:8020" in button["confirm"]["text"]["text"]
        primary = [each for each in buttons_of(card).values() if each.get("style") == "primary"]
        assert len(primary) == 1


async def test_approve_promises_that_traffic_moves_only_where_nothing_else_is_missing(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as harness:
        deployment, _ = await harness.open_gate("order")
        confirmation = asked_back(harness, deployment)
        assert confirmation.startswith(
            "Approve the switch of order? As soon as every rule is met, production traffic"
        )
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: asked_back(harness, deployment).startswith("Switch order to green?"))
        assert "As soon as" not in asked_back(harness, deployment)


def asked_back(harness: Harness, deployment: str) -> str:
    """The confirmation that the client shows to whoever presses Approve on the card."""
    confirmation = buttons_of(harness.card(deployment))["approve"]["confirm"]
    return f"{confirmation['title']['text']} {confirmation['text']['text']}"


async def test_how_traffic_moves_is_said_for_every_kind_of_shift(build: Build) -> None:
    async with build(domains=SLOWLY) as harness:
        linear, _ = await harness.open_gate("payment")
        at_once, _ = await harness.open_gate("hub")
        await harness.until(lambda: "step by step: 10 % every 1 min" in harness.card_text(linear))
        await harness.until(lambda: "all at once" in harness.card_text(at_once))


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
        lambda: "*Succeeded*" in harness.card_text(approved) and "*Failed*" in harness.card_text(rejected)
    )
    assert f"*Approved* by <@{MINA.id}>, <!date^" in harness.card_text(approved)
    assert f"*Rejected* by <@{OLU.id}>, <!date^" in harness.card_text(rejected)
    assert "> the partner is down" in harness.card_text(rejected)
    for deployment in (approved, rejected):
        assert harness.actions(deployment) & {"approve", "reject"} == set()
        assert "CodeDeploy took the answer" in harness.card_text(deployment)


async def test_the_buttons_go_before_codedeploy_has_answered(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "throttle", times=None)
    await harness.approve(MINA.id, deployment)
    not_yet = (
        "Telling CodeDeploy",
        "CodeDeploy has not confirmed the answer yet",
    )  # the latter once a try failed
    await harness.until(lambda: any(words in harness.card_text(deployment) for words in not_yet))
    assert harness.actions(deployment) & {"approve", "reject"} == set()
    assert "CodeDeploy took the answer" not in harness.card_text(deployment)
    harness.aws.faults.clear()
    await harness.until(lambda: "CodeDeploy took the answer" in harness.card_text(deployment))


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
    await harness.until(lambda: "CodeDeploy holds another answer: Failed" in harness.card_text(deployment))
    assert harness.gate(deployment)["outcome"] == "conflict"
    harness.aws.faults.clear()


async def test_an_answer_that_could_not_be_delivered_is_shown(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "access_denied", times=None)
    await harness.reject(OLU.id, deployment, "no")
    await harness.until(
        lambda: "CodeDeploy has not confirmed the answer yet" in harness.card_text(deployment)
    )
    harness.clock.advance(minutes=70)
    await harness.until(lambda: "CodeDeploy could not be told" in harness.card_text(deployment), timeout=15)
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


async def test_an_automatic_rollback_says_that_it_passed_at_once(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.stop_deployment(deployment)
    harness.clock.advance(minutes=1)
    await harness.until(lambda: "Withdrawn" in harness.card_text(deployment))
    await harness.until(lambda: any("Passed at once" in text_of(card) for card in harness.cards()))
    rescue = next(card for card in harness.cards() if "Passed at once" in text_of(card))
    assert deployment in text_of(rescue)
    assert buttons_of(rescue) == {}
