"""AWS's answers -> parts of the evidence, as AWS gives them: with gaps, odd spellings, two forms of things."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from app.aws.deployment_groups import group_facts, target_facts, with_overrides
from app.aws.evidence_client import reason_of
from app.aws.evidence_responses import alarms_of, health_of, listener_of, target_group_name, task_sets_of
from app.flow.ports.evidence import ServiceName
from app.gate.evidence.model import ABSENT, Alarm, Listener, MissingReason, Safety, Targets, Tasks

TD = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:42"
BLUE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-blue/90e97564b5a4f2c9"
GREEN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-green/8e2c3f66bdf6228a"
AT = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_target_is_read_with_codedeploys_own_spelling_and_without_labels() -> None:
    facts = target_facts(
        {
            "targetId": "prod:shop",
            "lifecycleEvents": [
                {"lifecycleEventName": "Install", "status": "Succeeded", "endTime": AT},
                {"lifecycleEventName": "AllowTraffic", "status": "Pending"},
            ],
            "taskSetsInfo": [{"identifer": "ecs-svc/1", "desiredCount": 2, "status": "PRIMARY"}],
        }
    )
    [one] = facts.task_sets
    assert (facts.service, facts.steady_since, facts.shifted) == (
        ServiceName(cluster="prod", name="shop"),
        AT,
        False,
    )
    assert (one.id, one.label, one.weight, one.target_group) == ("ecs-svc/1", None, None, None)
    assert one.tasks == Tasks(desired=2, running=0, pending=0, steady=None)


def test_a_target_without_details_is_no_error() -> None:
    facts = target_facts({})
    assert (facts.service, facts.task_sets, facts.steady_since) == (None, (), None)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_groups_alarms_are_read_whether_or_not_they_stop_it(enabled: bool) -> None:
    alarms = [{"name": "shop-5xx"}, {"name": "shop-latency"}]
    facts = group_facts({"alarmConfiguration": {"enabled": enabled, "alarms": alarms}})
    assert facts.alarms == ("shop-5xx", "shop-latency")
    assert facts.safety.alarms_stop is enabled


def test_a_group_without_alarms_has_none() -> None:
    assert group_facts({}).alarms == ()


def test_a_group_shows_what_codedeploy_does_by_itself() -> None:
    ending = {"action": "TERMINATE", "terminationWaitTimeInMinutes": 60}
    facts = group_facts(
        {
            "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
            "blueGreenDeploymentConfiguration": {"terminateBlueInstancesOnDeploymentSuccess": ending},
        }
    )
    assert facts.safety == Safety(
        rolls_back_on=("DEPLOYMENT_FAILURE",), alarms_stop=False, blue_kept_minutes=60
    )
    switched_off = {"enabled": False, "events": ["DEPLOYMENT_FAILURE"]}
    assert group_facts({"autoRollbackConfiguration": switched_off}).safety.rolls_back_on == ()


GROUP = {
    "alarmConfiguration": {"enabled": True, "alarms": [{"name": "shop-5xx"}]},
    "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
    "blueGreenDeploymentConfiguration": {
        "terminateBlueInstancesOnDeploymentSuccess": {
            "action": "TERMINATE",
            "terminationWaitTimeInMinutes": 60,
        }
    },
}


def test_a_deployments_overrides_of_its_group_apply() -> None:
    own = {
        "autoRollbackConfiguration": {"enabled": False},
        "overrideAlarmConfiguration": {"enabled": False, "alarms": []},
        "blueGreenDeploymentConfiguration": {
            "terminateBlueInstancesOnDeploymentSuccess": {
                "action": "TERMINATE",
                "terminationWaitTimeInMinutes": 5,
            }
        },
    }
    facts = group_facts(with_overrides(GROUP, own))
    assert facts.safety == Safety(rolls_back_on=(), alarms_stop=False, blue_kept_minutes=5)
    assert facts.alarms == ("shop-5xx",)
    other = {"overrideAlarmConfiguration": {"enabled": True, "alarms": [{"name": "other"}]}}
    assert group_facts(with_overrides(GROUP, other)).alarms == ("other",)


@pytest.mark.parametrize("own", [{}, {"autoRollbackConfiguration": None, "overrideAlarmConfiguration": None}])
def test_what_a_deployment_does_not_override_is_its_groups(own: dict[str, Any]) -> None:
    assert group_facts(with_overrides(GROUP, own)) == group_facts(GROUP)


def test_task_sets_are_read_with_and_without_an_owner() -> None:
    first, second = task_sets_of(
        {
            "taskSets": [
                {"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": "shop:41"},
                {
                    "id": "ecs-svc/2",
                    "externalId": "d-NOW",
                    "status": "ACTIVE",
                    "taskDefinition": "shop:42",
                    "stabilityStatus": "STEADY_STATE",
                    "loadBalancers": [{"targetGroupArn": GREEN}, {"loadBalancerName": "classic"}],
                },
            ]
        }
    )
    assert (first.external_id, first.tasks.steady, first.target_groups) == (None, False, ())
    assert (second.external_id, second.tasks.steady, second.target_groups) == ("d-NOW", True, (GREEN,))


def test_health_counts_the_states_and_shows_the_commonest_reason() -> None:
    def target(state: str, reason: str = "", description: str = "") -> dict[str, Any]:
        told = {"Reason": reason, "Description": description}
        return {"TargetHealth": {"State": state, **{key: value for key, value in told.items() if value}}}

    health = health_of(
        {
            "TargetHealthDescriptions": [
                target("healthy"),
                target("unhealthy", "Target.Timeout"),
                target("unhealthy", "Target.ResponseCodeMismatch", "[503]"),
                target("unhealthy", "Target.ResponseCodeMismatch", "[503]"),
            ]
        }
    )
    assert health == (
        Targets(state="healthy", count=1),
        Targets(state="unhealthy", count=3, reason="Target.ResponseCodeMismatch", description="[503]"),
    )


@pytest.mark.parametrize(
    ("action", "weights"),
    [
        ({"Type": "forward", "TargetGroupArn": BLUE}, (("shop-blue", 100),)),
        (
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": BLUE, "Weight": 90},
                        {"TargetGroupArn": GREEN, "Weight": 10},
                    ]
                },
            },
            (("shop-blue", 90), ("shop-green", 10)),
        ),
        (
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": BLUE, "Weight": 3},
                        {"TargetGroupArn": GREEN, "Weight": 1},
                    ]
                },
            },
            (("shop-blue", 75), ("shop-green", 25)),
        ),
        ({"Type": "fixed-response"}, ()),
    ],
    ids=["the short form", "weights", "weights that are no percents", "no forward"],
)
def test_a_listener_is_read_in_percent(action: dict[str, Any], weights: tuple[tuple[str, int], ...]) -> None:
    listener = listener_of({"Port": 443, "Protocol": "HTTPS", "DefaultActions": [action]})
    assert listener == Listener(port=443, protocol="HTTPS", weights=weights)


def test_however_little_traffic_it_is_it_is_not_none() -> None:
    shares = [{"TargetGroupArn": BLUE, "Weight": 999}, {"TargetGroupArn": GREEN, "Weight": 1}]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}
    assert listener_of({"DefaultActions": [action]}).weights == (("shop-blue", 100), ("shop-green", 1))


def test_a_target_group_is_named_by_its_arn() -> None:
    assert target_group_name(BLUE) == "shop-blue"
    assert target_group_name("odd") == "odd"


def test_alarms_come_in_the_groups_order_metric_composite_and_those_that_are_gone() -> None:
    answer = {
        "MetricAlarms": [{"AlarmName": "5xx", "StateValue": "ALARM", "StateReason": "12 > 5"}],
        "CompositeAlarms": [{"AlarmName": "all", "StateValue": "OK", "StateTransitionedTimestamp": AT}],
    }
    assert alarms_of(answer, ["all", "deleted", "5xx"]) == (
        Alarm(name="all", state="OK", since=AT),
        Alarm(name="deleted", state=ABSENT),
        Alarm(name="5xx", state="ALARM", reason="12 > 5"),
    )


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "hunter2"}}, "DescribeAlarms")


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (client_error("AccessDenied"), MissingReason.DENIED),
        (client_error("AccessDeniedException"), MissingReason.DENIED),
        (client_error("ExpiredTokenException"), MissingReason.DENIED),
        (client_error("com.amazonaws.ecs#AccessDeniedException"), MissingReason.DENIED),
        (NoCredentialsError(), MissingReason.DENIED),
        (client_error("ThrottlingException"), MissingReason.THROTTLED),
        (client_error("Throttling"), MissingReason.THROTTLED),
        (client_error("TargetGroupNotFound"), MissingReason.ABSENT),
        (client_error("InternalFailure"), MissingReason.FAILED),
        (client_error("500"), MissingReason.FAILED),
        (ReadTimeoutError(endpoint_url="http://x"), MissingReason.SILENT),
        (EndpointConnectionError(endpoint_url="http://x"), MissingReason.SILENT),
    ],
    ids=str,
)
def test_an_error_of_boto3_becomes_a_reason(trouble: Any, why: MissingReason) -> None:
    assert reason_of(trouble) is why
