"""Every fault, as an unchanged boto3 meets it."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from app.sandbox.aws.faults import Faults, Kind
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from tests.sandbox.aws.helpers import GATE, Boto, Lambda, answer, boto, finish, reach_gate

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient

PUT = "PutLifecycleEventHookExecutionStatus"


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response: Any = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("throttle", "ThrottlingException", 400),
        ("error", "InternalFailure", 500),
        ("unavailable", "503", 503),
        ("access_denied", "AccessDeniedException", 400),
        ("expired_token", "ExpiredTokenException", 400),
        ("signature_expired", "InvalidSignatureException", 400),
    ],
)
def test_a_refused_answer_has_not_happened(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda, kind: Kind, code: str, status: int
) -> None:
    deployment_id = aws.deploy("order")
    execution_id = reach_gate(aws, hook, deployment_id)
    aws.faults.add(PUT, kind)
    with pytest.raises(ClientError) as refused:
        answer(codedeploy, deployment_id, execution_id, "Succeeded")
    assert refusal(refused) == (code, status)
    assert aws.answers(deployment_id) == []
    answer(codedeploy, deployment_id, execution_id, "Succeeded")
    assert aws.answers(deployment_id) == ["Succeeded"]
    assert [call.outcome for call in aws.calls(PUT)] == [kind, "ok"]


def test_a_dropped_connection_has_not_happened(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    execution_id = reach_gate(aws, hook, deployment_id)
    aws.faults.add(PUT, "drop")
    with pytest.raises((ConnectionClosedError, BotoConnectionError)):
        answer(codedeploy, deployment_id, execution_id, "Succeeded")
    assert aws.answers(deployment_id) == []


@pytest.mark.parametrize("kind", ["error_after_commit", "drop_after_commit", "timeout_after_commit"])
def test_an_answer_whose_response_was_lost_meets_already_completed(
    aws: AwsStandIn, clients: Boto, hook: Lambda, kind: Kind
) -> None:
    deployment_id = aws.deploy("order")
    execution_id = reach_gate(aws, hook, deployment_id)
    aws.faults.add(PUT, kind)
    impatient = clients.codedeploy(read_timeout=0.2)
    with pytest.raises((ClientError, ConnectionClosedError, BotoConnectionError, ReadTimeoutError)) as lost:
        answer(impatient, deployment_id, execution_id, "Failed")
    assert (type(lost.value) is ReadTimeoutError) == (kind == "timeout_after_commit")
    assert aws.answers(deployment_id) == ["Failed"]
    with pytest.raises(impatient.exceptions.LifecycleEventAlreadyCompletedException):
        answer(impatient, deployment_id, execution_id, "Failed")


def test_botocore_itself_retries_throttling(aws: AwsStandIn, clients: Boto) -> None:
    deployment_id = aws.deploy("order")
    aws.faults.add("GetDeployment", "throttle")
    info = clients.codedeploy(attempts=2).get_deployment(deploymentId=deployment_id)
    assert info["deploymentInfo"]["deploymentId"] == deployment_id
    assert [call.outcome for call in aws.calls("GetDeployment")] == ["throttle", "ok"]


def test_a_slow_operation_outlasts_an_impatient_client_and_no_other_is_slow(
    aws: AwsStandIn, clients: Boto
) -> None:
    deployment_id = aws.deploy("order")
    aws.faults.slow("GetDeployment", 400, times=1)
    impatient = clients.codedeploy(read_timeout=0.1)
    with pytest.raises(ReadTimeoutError):
        impatient.get_deployment(deploymentId=deployment_id)
    impatient.get_deployment(deploymentId=deployment_id)
    impatient.list_deployments()


def test_faults_reach_the_other_services_in_their_own_protocol(aws: AwsStandIn, clients: Boto) -> None:
    aws.faults.add("*", "access_denied", times=None)
    with pytest.raises(ClientError) as denied:
        clients.elbv2().describe_target_groups(Names=["klp-logistics-order-blue"])
    assert refusal(denied) == ("AccessDeniedException", 400)
    with pytest.raises(ClientError) as denied:
        clients.cloudwatch().describe_alarms()
    assert refusal(denied)[0] == "AccessDeniedException"
    aws.faults.clear()
    assert len(clients.cloudwatch().describe_alarms()["MetricAlarms"]) == len(EIGHT_DOMAINS)


def test_a_duplicate_hook_arrives_twice_with_one_execution_id(aws: AwsStandIn, hook: Lambda) -> None:
    aws.faults.duplicate_hooks()
    deployment_id = aws.deploy("order")
    reach_gate(aws, hook, deployment_id)
    first, second = hook.events
    assert first == second
    other = aws.deploy("user")
    reach_gate(aws, hook, other)
    assert len(hook.of(other)) == 1


def test_a_lost_hook_is_waited_for_until_the_hour_ends(aws: AwsStandIn, hook: Lambda) -> None:
    aws.faults.lose_hooks()
    deployment_id = aws.deploy("order")
    aws.advance_until(lambda: aws.deployment(deployment_id).waits_for == GATE)
    assert [call.outcome for call in aws.hook_calls(deployment_id)] == ["lost"]
    finish(aws, deployment_id)
    assert (aws.deployment(deployment_id).error_code, hook.of(deployment_id)) == (
        "HOOK_EXECUTION_FAILURE",
        [],
    )


def test_the_running_event_may_read_pending_at_first(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    aws.faults.delay_progress(2)
    deployment_id = aws.deploy("order")
    reach_gate(aws, hook, deployment_id)
    seen = []
    for _ in range(3):
        target = codedeploy.get_deployment_target(
            deploymentId=deployment_id, targetId="klp-logistics:klp-logistics-order"
        )["deploymentTarget"]["ecsTarget"]
        [gate] = [event for event in target["lifecycleEvents"] if event["lifecycleEventName"] == GATE]
        seen.append((gate["status"], "startTime" in gate))
    assert seen == [("Pending", False), ("Pending", False), ("InProgress", True)]


def test_random_faults_strike_at_their_rate_and_the_same_way_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[Kind | None]:
        faults = Faults(seed)
        faults.rate("GetDeployment", throttle=0.1, error_after_commit=0.2)
        return [faults.take("GetDeployment").kind for _ in range(2000)]

    kinds = drawn(5)
    assert kinds == drawn(5) != drawn(6)
    assert 120 < kinds.count("throttle") < 280
    assert 270 < kinds.count("error_after_commit") < 450
    assert set(kinds) == {None, "throttle", "error_after_commit"}


def test_random_faults_keep_to_their_operation_until_cleared() -> None:
    faults = Faults(1)
    faults.rate("GetDeployment", unavailable=1.0)
    faults.hook_rate(lose=1.0)
    assert (faults.take("GetDeployment").kind, faults.take("StopDeployment").kind) == ("unavailable", None)
    assert faults.hook_deliveries() == 0
    faults.clear()
    assert (faults.take("GetDeployment").kind, faults.hook_deliveries()) == (None, 1)


def test_a_misspelt_fault_is_refused() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="throtle"):
        faults.add("GetDeployment", "throtle")  # type: ignore[arg-type]  # the misspelling is the point
    with pytest.raises(ValueError, match="throtle"):
        faults.rate("GetDeployment", throtle=0.5)  # type: ignore[call-arg]  # the misspelling is the point


def test_hooks_arrive_and_answers_are_taken_while_time_runs_by_itself() -> None:
    hook = Lambda()
    with AwsStandIn(EIGHT_DOMAINS[:2], invoke_hook=hook, speed=2000) as aws, boto(aws) as clients:
        codedeploy = clients.codedeploy()
        deployment_id = aws.deploy("user")
        aws.wait_until(lambda: bool(hook.of(deployment_id)))
        answer(codedeploy, deployment_id, hook.of(deployment_id)[0], "Succeeded")
        aws.wait_until(lambda: aws.deployment(deployment_id).status == "Succeeded")
        aws.speed = 0
        still = aws.clock.now()
        assert aws.clock.now() == still
