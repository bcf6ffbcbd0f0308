"""A switch from CreateDeployment to its end, as boto3 sees it."""

from datetime import timedelta
from typing import TYPE_CHECKING

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.deployment import LIFECYCLE
from app.sandbox.aws.state.topology import SandboxDomain
from tests.sandbox.aws.conftest import NOON
from tests.sandbox.aws.helpers import CANARY, GATE, LINEAR, Lambda, answer, approve, finish, reach_gate

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient


def statuses(codedeploy: "CodeDeployClient", deployment_id: str) -> dict[str, str]:
    """Lifecycle events by name, in order, the way a client finds them."""
    [target_id] = codedeploy.list_deployment_targets(deploymentId=deployment_id)["targetIds"]
    target = codedeploy.get_deployment_target(deploymentId=deployment_id, targetId=target_id)
    events = target["deploymentTarget"]["ecsTarget"]["lifecycleEvents"]
    return {event["lifecycleEventName"]: event["status"] for event in events}


def status(codedeploy: "CodeDeployClient", deployment_id: str) -> str:
    return codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]["status"]


def test_the_eight_events_run_in_order_and_the_switch_waits_before_traffic(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order", description="git 4f2a1c")
    execution_id = reach_gate(aws, hook, deployment_id)
    assert hook.events == [{"DeploymentId": deployment_id, "LifecycleEventHookExecutionId": execution_id}]
    assert len(execution_id) >= 400
    seen = statuses(codedeploy, deployment_id)
    assert tuple(seen) == LIFECYCLE
    assert list(seen.values()) == ["Succeeded"] * 5 + ["InProgress", "Pending", "Pending"]
    aws.clock.advance(3599)
    assert status(codedeploy, deployment_id) == "InProgress"
    assert aws.share("order") == {"blue": 100, "green": 0}

    answer(codedeploy, deployment_id, execution_id, "Succeeded")
    finish(aws, deployment_id)
    assert set(statuses(codedeploy, deployment_id).values()) == {"Succeeded"}
    events = aws.deployment(deployment_id).events
    starts = [event.started_at or NOON for event in events]
    assert starts == sorted(starts)
    assert all((event.ended_at or NOON) >= begun for event, begun in zip(events, starts, strict=True))
    assert aws.answers(deployment_id) == ["Succeeded"]


def test_after_approval_all_traffic_is_on_green_until_the_next_deployment_begins(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    first = aws.deploy("order")
    approve(aws, codedeploy, hook, first)
    aws.clock.advance(0)
    assert aws.share("order") == {"blue": 0, "green": 100}
    finish(aws, first)
    assert aws.share("order") == {"blue": 0, "green": 100}
    second = aws.deploy("order")
    assert aws.share("order") == {"blue": 100, "green": 0}
    reach_gate(aws, hook, second)
    assert aws.share("order") == {"blue": 100, "green": 0}


def test_a_deployment_stays_in_progress_through_the_termination_wait(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("payment")
    approve(aws, codedeploy, hook, deployment_id)
    aws.clock.advance(10)
    assert set(statuses(codedeploy, deployment_id).values()) == {"Succeeded"}
    info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    assert (info["status"], info["instanceTerminationWaitTimeStarted"]) == ("InProgress", True)
    shown, moved = aws.deployment(deployment_id), aws.deployment(deployment_id).event("AllowTraffic").ended_at
    assert moved is not None
    assert shown.terminates_at == moved + timedelta(minutes=5), "counted from the end of AllowTraffic"
    aws.clock.advance(280)
    assert status(codedeploy, deployment_id) == "InProgress"
    aws.clock.advance(20)
    info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    assert (info["status"], info["instanceTerminationWaitTimeStarted"]) == ("Succeeded", False)
    assert info["completeTime"] > info["startTime"] > info["createTime"]


def test_a_canary_moves_ten_percent_then_after_five_minutes_the_rest(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order", config=CANARY)
    approve(aws, codedeploy, hook, deployment_id)
    assert aws.share("order") == {"blue": 90, "green": 10}
    aws.clock.advance(299)
    assert aws.share("order") == {"blue": 90, "green": 10}
    assert statuses(codedeploy, deployment_id)["AllowTraffic"] == "InProgress"
    aws.clock.advance(1)
    assert aws.share("order") == {"blue": 0, "green": 100}
    finish(aws, deployment_id)
    assert len(hook.of(deployment_id)) == 1


def test_linear_traffic_moves_ten_percent_every_minute(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("hub", config=LINEAR)
    approve(aws, codedeploy, hook, deployment_id)
    seen = [aws.share("hub")["green"]]
    for _ in range(9):
        aws.clock.advance(60)
        seen.append(aws.share("hub")["green"])
    assert seen == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


def test_the_task_sets_swap_the_two_target_groups_with_every_deployment(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    greens = []
    for _ in range(3):
        deployment_id = aws.deploy("user")
        approve(aws, codedeploy, hook, deployment_id)
        finish(aws, deployment_id)
        target = codedeploy.get_deployment_target(
            deploymentId=deployment_id, targetId="klp-logistics:klp-logistics-user"
        )
        blue, green = target["deploymentTarget"]["ecsTarget"]["taskSetsInfo"]
        assert (blue["taskSetLabel"], green["taskSetLabel"]) == ("Blue", "Green")
        assert (blue["trafficWeight"], green["trafficWeight"]) == (0.0, 100.0)
        assert (blue["status"], green["status"]) == ("DRAINING", "PRIMARY")
        greens.append(green["targetGroup"]["name"])
    assert greens == ["klp-logistics-user-green", "klp-logistics-user-blue", "klp-logistics-user-green"]


def test_without_a_test_listener_there_are_six_events(aws: AwsStandIn, hook: Lambda) -> None:
    aws.add_domain(SandboxDomain("returns", 9100, test_listener=False))
    deployment_id = aws.deploy("returns")
    reach_gate(aws, hook, deployment_id)
    names = [event.name for event in aws.deployment(deployment_id).events]
    assert names == [name for name in LIFECYCLE if "Test" not in name]


def test_every_hook_that_the_appspec_names_is_waited_for(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    gates = ("AfterAllowTestTraffic", GATE, "AfterAllowTraffic")
    aws.add_domain(SandboxDomain("returns", 9100, hooks=gates))
    deployment_id = aws.deploy("returns")
    for gate in gates:
        answer(codedeploy, deployment_id, reach_gate(aws, hook, deployment_id, gate=gate), "Succeeded")
    finish(aws, deployment_id)
    assert len(set(hook.of(deployment_id))) == 3
    assert aws.answers(deployment_id) == ["Succeeded"] * 3


def test_a_ready_wait_holds_the_deployment_at_ready_until_it_is_continued(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    aws.add_domain(SandboxDomain("returns", 9100, ready_wait_minutes=120))
    continued, forgotten = aws.deploy("returns"), ""
    aws.advance_until(lambda: status(codedeploy, continued) == "Ready")
    codedeploy.continue_deployment(deploymentId=continued, deploymentWaitType="READY_WAIT")
    approve(aws, codedeploy, hook, continued)
    finish(aws, continued)
    assert status(codedeploy, continued) == "Succeeded"
    forgotten = aws.deploy("returns")
    finish(aws, forgotten)
    assert status(codedeploy, forgotten) == "Stopped"
    assert aws.share("returns") == {"blue": 100, "green": 0}


def test_continuing_the_termination_wait_ends_it_now(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    approve(aws, codedeploy, hook, deployment_id)
    aws.clock.advance(10)
    codedeploy.continue_deployment(deploymentId=deployment_id, deploymentWaitType="TERMINATION_WAIT")
    aws.clock.advance(2)
    assert status(codedeploy, deployment_id) == "Succeeded"


def test_a_revision_can_be_deployed_again_from_what_get_deployment_shows(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    first = aws.deploy("order", image_tag="2.0.0")
    approve(aws, codedeploy, hook, first)
    finish(aws, first)
    second = aws.deploy("order", image_tag="2.1.0")
    approve(aws, codedeploy, hook, second)
    finish(aws, second)
    info = codedeploy.get_deployment(deploymentId=second)["deploymentInfo"]
    undo = codedeploy.create_deployment(
        applicationName=info["applicationName"],
        deploymentGroupName=info["deploymentGroupName"],
        revision=info["previousRevision"],
        description="undo",
    )["deploymentId"]
    approve(aws, codedeploy, hook, undo)
    finish(aws, undo)
    assert aws.deployment(undo).image == aws.deployment(first).image
    assert aws.deployment(undo).creator == "user"
