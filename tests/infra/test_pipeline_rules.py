"""What the pipeline's scripts compute without calls."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from switchgate_pipeline.api import Gate
from switchgate_pipeline.codedeploy import Deployment, appspec_of
from switchgate_pipeline.failures import PipelineFailure
from switchgate_pipeline.markdown import plain
from switchgate_pipeline.progress import Progress, Stage, minutes_allowed, progress_of
from switchgate_pipeline.sentences import failure_of, state_sentence
from switchgate_pipeline.task_definition import read_task_definition, tag_value, tags_of, with_image

OPENED = datetime(2026, 11, 29, 5, 2, tzinfo=UTC)
DEADLINE = datetime(2026, 11, 29, 5, 57, tzinfo=UTC)


def gate(verdict: str | None = None, **more: str) -> Gate:
    return Gate(OPENED, DEADLINE, True, verdict, more.get("by"), more.get("reason"))


def deployment(
    status: str = "InProgress", *, info: dict[str, Any] | None = None, **events: str
) -> Deployment:
    found = {name: {"lifecycleEventName": name, "status": state} for name, state in events.items()}
    return Deployment({"status": status, **(info or {})}, found)


def test_a_gate_that_waits_is_said_with_its_times() -> None:
    progress = progress_of(deployment(BeforeAllowTraffic="InProgress"), gate())
    said = state_sentence(progress, channel="#deploys", zone=ZoneInfo("Asia/Seoul"))
    assert said == r"waits for approval in \#deploys since 14:02, until 14:57 (Asia/Seoul)"


@pytest.mark.parametrize(
    ("seen", "of_gate", "stage"),
    [
        (deployment("Created"), None, Stage.STARTING),
        (deployment(BeforeAllowTraffic="Pending"), None, Stage.STARTING),
        (deployment(BeforeAllowTraffic="Succeeded", AllowTraffic="InProgress"), gate("approved"), Stage.SHIFTING),
        (deployment(BeforeAllowTraffic="Succeeded", AllowTraffic="Succeeded"), None, Stage.SWITCHED),
        (deployment("Succeeded"), gate("approved"), Stage.FINISHED),
        (deployment("Failed", BeforeAllowTraffic="Failed"), gate("rejected"), Stage.REJECTED),
        (deployment("Failed", BeforeAllowTraffic="Failed"), gate("expired"), Stage.EXPIRED),
        (deployment("Failed", BeforeAllowTraffic="Failed"), gate("withdrawn"), Stage.WITHDRAWN),
        (deployment("Failed", BeforeAllowTraffic="Failed"), None, Stage.FAILED),
        (deployment("Failed", BeforeInstall="Failed"), None, Stage.FAILED),
        (deployment("Stopped", BeforeAllowTraffic="Succeeded"), gate("approved"), Stage.ROLLED_BACK),
    ],
)  # fmt: skip
def test_where_a_deployment_stands(seen: Deployment, of_gate: Gate | None, stage: Stage) -> None:
    assert progress_of(seen, of_gate).stage is stage


def test_a_rejection_that_traffic_contradicts_is_not_called_one() -> None:
    """CodeDeploy was told Succeeded by somebody else: what happened counts, not what was decided."""
    seen = deployment("Stopped", BeforeAllowTraffic="Succeeded", AllowTraffic="InProgress")
    assert progress_of(seen, gate("rejected")).stage is Stage.ROLLED_BACK


def test_the_time_allowed_counts_the_gate_the_canary_and_a_ready_wait() -> None:
    settings = {
        "blueGreenDeploymentConfiguration": {
            "deploymentReadyOption": {"waitTimeInMinutes": 30},
            "terminateBlueInstancesOnDeploymentSuccess": {"terminationWaitTimeInMinutes": 60},
        }
    }
    seen = deployment(info=settings)
    assert minutes_allowed(seen, traffic=5, install=20, finish=False) == 20 + 30 + 60 + 5 + 10
    assert minutes_allowed(seen, traffic=5, install=20, finish=True) == 20 + 30 + 60 + 5 + 60 + 10
    assert minutes_allowed(deployment(), traffic=0, install=20, finish=False) > 60


def test_a_reason_cannot_draw_in_the_summary() -> None:
    failure = failure_of(
        Stage.REJECTED, deployment("Failed"), gate("rejected", by="a|b", reason="<img> [x](y)")
    )
    assert str(failure).startswith(r"The switch was rejected by a\|b: \<img\> \[x\]\(y\).")
    assert plain("two\nlines") == "two lines"


def test_a_tag_has_what_ecs_takes() -> None:
    assert tag_value("fix: cart #12 (fast) — 주문") == "fix: cart 12 fast 주문"
    assert len(tag_value("x" * 300)) == 256
    assert tags_of({"GITHUB_SHA": "4f2a", "GITHUB_ACTOR": ""}, title="") == [
        {"key": "git-sha", "value": "4f2a"}
    ]


def test_only_one_container_gets_the_image() -> None:
    two: dict[str, Any] = {"containerDefinitions": [{"name": "order"}, {"name": "log", "image": "log:1"}]}
    changed = with_image(two, container="order", image="order:2")
    assert [one["image"] for one in changed["containerDefinitions"]] == ["order:2", "log:1"]
    with pytest.raises(PipelineFailure):
        with_image(two, container="web", image="order:2")


def test_an_answer_of_ecs_can_be_registered_again(tmp_path: Any) -> None:
    path = tmp_path / "task.json"
    path.write_text(
        '{"taskDefinition": {"family": "order", "revision": 3, "status": "ACTIVE", "containerDefinitions": [{}]}}'
    )
    assert read_task_definition(str(path)) == {"family": "order", "containerDefinitions": [{}]}


def test_the_hook_is_before_production_traffic() -> None:
    spec = appspec_of(task_definition="arn", container="order", port=8080, hook="CodeDeployHook_x")
    assert '"Hooks": [{"BeforeAllowTraffic": "CodeDeployHook_x"}]' in spec


def test_without_times_the_sentence_names_none() -> None:
    said = state_sentence(Progress(Stage.WAITING), channel="", zone=ZoneInfo("UTC"))
    assert said == "waits for approval"
