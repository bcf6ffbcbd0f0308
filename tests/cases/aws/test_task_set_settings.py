"""What changes without the task definition: where and how the task set runs, and which container serves."""

from typing import Any, Final

import pytest

from app.aws.evidence_responses import task_sets_of
from app.gate.evidence.task_set_settings import settings_changes
from app.i18n.catalog import Texts
from app.sandbox.people import OLU
from app.slack.text.changes import change_lines
from tests.gate.seen import evidence, side
from tests.harness import Harness, texts_in

BLUE: Final[dict[str, Any]] = {
    "launchType": "FARGATE",
    "platformVersion": "1.4.0",
    "networkConfiguration": {
        "awsvpcConfiguration": {
            "subnets": ["subnet-0aaa", "subnet-0ccc"],
            "securityGroups": ["sg-0aaa"],
            "assignPublicIp": "DISABLED",
        }
    },
    "loadBalancers": [{"containerName": "app", "containerPort": 8080}],
}
SPOT: Final = {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]}


def network(**given: Any) -> dict[str, Any]:
    return {
        "networkConfiguration": {
            "awsvpcConfiguration": BLUE["networkConfiguration"]["awsvpcConfiguration"] | given
        }
    }


MIXED: Final = {
    "capacityProviderStrategy": [
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
        {"capacityProvider": "FARGATE", "weight": 1, "base": 2},
    ]
}
SAID: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "capacity": (SPOT, "capacity `FARGATE` → `FARGATE_SPOT`"),
    "a mix": (MIXED, "capacity `FARGATE` → `FARGATE weight 1 base 2, FARGATE_SPOT weight 3`"),
    "an older platform": ({"platformVersion": "1.3.0"}, "platform `1.4.0` → `1.3.0`"),
    "subnets": (network(subnets=["subnet-0bbb"]), "network changed (subnets)"),
    "security groups": (network(securityGroups=["sg-0bbb"]), "network changed (securityGroups)"),
    "a public address": (network(assignPublicIp="ENABLED"), "network changed (assignPublicIp)"),
    "another port": (
        {"loadBalancers": [{"containerName": "app", "containerPort": 9901}]},
        "traffic goes to `app:8080` → `app:9901`",
    ),
    "service discovery": (
        {"serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:1", "port": 1}]},
        "`serviceRegistries` changed",
    ),
}
SAME: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "one provider by name": {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 5}]},
    "another order": network(subnets=["subnet-0ccc", "subnet-0aaa"]),
    "another target group": {
        "loadBalancers": [{"targetGroupArn": "arn:other", "containerName": "app", "containerPort": 8080}]
    },
    "a default that is left out": network(assignPublicIp=None),
}


def line(green: dict[str, Any]) -> str:
    sets = [
        {"id": "ecs-svc/1", "taskDefinition": "order:41", **BLUE},
        {"id": "ecs-svc/2", "taskDefinition": "order:41", **BLUE, **green},
    ]
    blue, other = (one.settings for one in task_sets_of({"taskSets": sets}))
    seen = evidence(blue=side(41, settings=blue), green=side(41, settings=other))
    return "\n".join(change_lines(seen, Texts.of("en")))


@pytest.mark.parametrize(("green", "said"), SAID.values(), ids=SAID)
def test_a_change_is_said(green: dict[str, Any], said: str) -> None:
    assert line(green) == f"task definition stays `order:41` · {said}"


@pytest.mark.parametrize("green", SAME.values(), ids=SAME)
def test_what_is_the_same_is_no_change(green: dict[str, Any]) -> None:
    assert line(green) == "*No changes:* blue and green both run `order:41`."


def test_what_ecs_does_not_return_is_not_compared() -> None:
    [known] = task_sets_of({"taskSets": [{"id": "1", "taskDefinition": "order:41", **BLUE}]})
    assert list(settings_changes(None, known.settings)) == []
    assert list(settings_changes(known.settings, None)) == []


async def test_the_card_and_details_say_all_of_it(harness: Harness) -> None:
    harness.aws.next_task_set(
        "order",
        **SPOT,
        platformVersion="1.3.0",
        loadBalancers=[{"containerName": "envoy", "containerPort": 9901}],
        networkConfiguration=BLUE["networkConfiguration"],
    )
    deployment, _ = await harness.open_gate("order", image_tag="1.41.0")
    await harness.until(lambda: "capacity" in harness.card_text(deployment))
    await harness.press(OLU.id, deployment, "details")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
    modal: Any = harness.slack.views.top(OLU.id)
    for shown in (harness.card_text(deployment), "\n".join(texts_in(modal.body))):
        assert "capacity `FARGATE` → `FARGATE_SPOT`" in shown
        assert "platform `1.4.0` → `1.3.0`" in shown
        assert "network changed (subnets, securityGroups)" in shown
        assert "traffic goes to `order:8020` → `envoy:9901`" in shown
        assert "No changes" not in shown
