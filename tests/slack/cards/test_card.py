"""What a card says, over the wire: everything that one needs for the answer, and then what became of it."""

from dataclasses import replace

import boto3
import pytest

from app.sandbox.aws.world import EIGHT_DOMAINS
from app.sandbox.cast import GRACE, JUN, MINA, OLU
from tests.house import House, text_of
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
    async with build(locale=locale, domains=SLOWLY) as house:
        deployment, _ = await house.ask("order", description="v1.4.2 github-actor=jun-lee")
        await house.until(lambda: LABELS[locale]["traffic"] in house.says(deployment))
        says = house.says(deployment)
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
    async with build(locale=locale) as house:
        _, card = await house.ask("order")
        button = buttons_of(card)["approve"]
        assert (button["text"]["text"], button["style"]) == (approve, "primary")
        assert (button["confirm"]["title"]["text"], button["confirm"]["confirm"]["text"]) == (title, yes)
        assert "order:8020" in button["confirm"]["text"]["text"]
        primary = [each for each in buttons_of(card).values() if each.get("style") == "primary"]
        assert len(primary) == 1


async def test_approve_promises_that_traffic_moves_only_where_nothing_else_is_missing(build: Build) -> None:
    async with build(config=TWO_APPROVALS) as house:
        deployment, _ = await house.ask("order")
        asks = asked_back(house, deployment)
        assert asks.startswith(
            "Approve the switch of order? As soon as every rule is met, production traffic"
        )
        await house.approve(MINA.id, deployment)
        await house.until(lambda: asked_back(house, deployment).startswith("Switch order to green?"))
        assert "As soon as" not in asked_back(house, deployment)


def asked_back(house: House, deployment: str) -> str:
    """What the client asks whoever presses Approve on the card."""
    asks = buttons_of(house.card(deployment))["approve"]["confirm"]
    return f"{asks['title']['text']} {asks['text']['text']}"


async def test_how_traffic_moves_is_said_for_every_kind_of_shift(build: Build) -> None:
    async with build(domains=SLOWLY) as house:
        linear, _ = await house.ask("payment")
        at_once, _ = await house.ask("hub")
        await house.until(lambda: "step by step: 10 % every 1 min" in house.says(linear))
        await house.until(lambda: "all at once" in house.says(at_once))


async def test_the_form_of_a_rejection_names_domain_and_deployment(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.press(OLU.id, deployment, "reject")
    await house.until(lambda: house.slack.views.top(OLU.id))
    form = house.slack.views.top(OLU.id)
    assert form is not None
    assert form.body["blocks"][0]["text"]["text"] == (
        f"Production traffic of *order* stays on blue and {deployment} fails."
    )


async def test_a_decided_card_says_who_and_when_and_why_and_what_codedeploy_answered(house: House) -> None:
    approved, _ = await house.ask("order")
    rejected, _ = await house.ask("payment")
    await house.approve(MINA.id, approved)
    await house.reject(OLU.id, rejected, "the partner is down")
    await house.until(lambda: "*Succeeded*" in house.says(approved) and "*Failed*" in house.says(rejected))
    assert f"*Approved* by <@{MINA.id}>, <!date^" in house.says(approved)
    assert f"*Rejected* by <@{OLU.id}>, <!date^" in house.says(rejected)
    assert "> the partner is down" in house.says(rejected)
    for deployment in (approved, rejected):
        assert house.actions(deployment) & {"approve", "reject"} == set()
        assert "CodeDeploy took the answer" in house.says(deployment)


async def test_the_buttons_go_before_codedeploy_has_answered(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add("PutLifecycleEventHookExecutionStatus", "throttle", times=None)
    await house.approve(MINA.id, deployment)
    not_yet = (
        "Telling CodeDeploy",
        "CodeDeploy has not confirmed the answer yet",
    )  # the latter once a try failed
    await house.until(lambda: any(words in house.says(deployment) for words in not_yet))
    assert house.actions(deployment) & {"approve", "reject"} == set()
    assert "CodeDeploy took the answer" not in house.says(deployment)
    house.aws.faults.clear()
    await house.until(lambda: "CodeDeploy took the answer" in house.says(deployment))


async def test_an_answer_that_somebody_else_gave_before_is_shown_as_a_contradiction(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add(
        "GetDeployment", "throttle", times=None
    )  # else a look may find it failed, and the gate ends
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=deployment,
        lifecycleEventHookExecutionId=house.gate(deployment)["execution_id"],
        status="Failed",
    )
    await house.approve(OLU.id, deployment)
    await house.until(lambda: "CodeDeploy holds another answer: Failed" in house.says(deployment))
    assert house.gate(deployment)["outcome"] == "contradicted"
    house.aws.faults.clear()


async def test_an_answer_that_could_not_be_delivered_is_shown(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.faults.add("PutLifecycleEventHookExecutionStatus", "access_denied", times=None)
    await house.reject(OLU.id, deployment, "no")
    await house.until(lambda: "CodeDeploy has not confirmed the answer yet" in house.says(deployment))
    house.clock.advance(minutes=70)
    await house.until(lambda: "CodeDeploy could not be told" in house.says(deployment), timeout=15)
    assert house.gate(deployment)["outcome"] == "undeliverable"


async def test_what_codedeploy_has_not_confirmed_shows_no_buttons(house: House) -> None:
    for operation in ("GetDeployment", "BatchGetDeployments"):
        house.aws.faults.add(operation, "throttle", times=None)
    deployment = await house.deploy("order")
    await house.until(lambda: "not confirmed yet" in house.says(deployment))
    assert house.actions(deployment) == set()
    house.aws.faults.clear()
    house.clock.advance(minutes=1)
    await house.until(lambda: "approve" in house.actions(deployment))


async def test_an_automatic_rollback_says_that_it_passed_at_once(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.stop_deployment(deployment)
    house.clock.advance(minutes=1)
    await house.until(lambda: "Withdrawn" in house.says(deployment))
    await house.until(lambda: any("Passed at once" in text_of(card) for card in house.cards()))
    rescue = next(card for card in house.cards() if "Passed at once" in text_of(card))
    assert deployment in text_of(rescue)
    assert buttons_of(rescue) == {}
