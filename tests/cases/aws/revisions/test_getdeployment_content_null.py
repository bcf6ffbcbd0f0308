"""GetDeployment never shows an AppSpec's content: undo after the end works by GetApplicationRevision all the same."""

from typing import Any

import pytest

from app.sandbox.people import GRACE
from tests.cases.aws.undoing import FAMILY, evidence_is_in, image, inline, take_back, to_the_end
from tests.harness import Harness
from tests.journeys.undo.test_undo import finished
from tests.slack.play import deploys

YAML = """version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: {name}
        LoadBalancerInfo:
          ContainerName: order
          ContainerPort: 8020
Hooks:
  - BeforeAllowTraffic: CodeDeployHook_switchgate
"""
ARN = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/klp-logistics-order:41"


@pytest.mark.parametrize(
    "previous",
    [inline(YAML.format(name=ARN)), inline(YAML.format(name=ARN), "String")],
    ids=["AppSpecContent", "String"],
)
async def test_undo_deploys_the_previous_revision_by_its_digest(harness: Harness, previous: Any) -> None:
    harness.aws.deployed_before("order", previous)
    deployment = await to_the_end(harness)

    assert "undo" in harness.actions(deployment)
    assert "redeploys klp-logistics-order:41" in harness.card_text(deployment)
    asked = await take_back(harness, deployment)

    member = "appSpecContent" if previous["revisionType"] == "AppSpecContent" else "string"
    assert asked["revision"]["revisionType"] == previous["revisionType"]
    assert set(asked["revision"][member]) == {"sha256"}
    shown = harness.aws.calls("GetApplicationRevision")
    assert asked["revision"] in [call.params["revision"] for call in shown]
    again = harness.table("interventions")[0]["deployment_id"]
    assert image(harness, again) == "1.41.0"


async def test_without_the_permission_undo_is_offered_under_the_digest(harness: Harness) -> None:
    harness.aws.faults.add("GetApplicationRevision", "access_denied", times=None)
    deployment = await to_the_end(harness)

    assert "redeploys sha256:" in harness.card_text(deployment)
    await take_back(harness, deployment)
    again = harness.table("interventions")[0]["deployment_id"]
    assert image(harness, again) == "1.41.0"


async def test_while_codedeploy_throttles_undo_is_offered_without_a_name(harness: Harness) -> None:
    harness.aws.faults.add("GetApplicationRevision", "throttle", times=None)
    deployment = await finished(harness)

    assert "redeploys the previous version" in harness.card_text(deployment)
    harness.aws.faults.clear("GetApplicationRevision")
    await take_back(harness, deployment)


async def test_the_card_names_what_green_runs_where_ecs_may_not_be_asked_for_the_service(
    harness: Harness,
) -> None:
    harness.aws.faults.add("DescribeServices", "access_denied", times=None)
    deployment = await harness.deploy("order")
    await harness.until(lambda: "1.42.0" in harness.card_text(deployment))


async def test_a_family_without_a_number_is_deployed_as_blue_ran_it(harness: Harness) -> None:
    """The latest ACTIVE revision of the family is green's own."""
    unpinned = inline(YAML.format(name=FAMILY))
    harness.aws.deployed_before("order", unpinned)
    deployment = await to_the_end(harness, revision=unpinned)
    assert image(harness, deployment) == "1.42.0"
    assert "redeploys klp-logistics-order:41" in harness.card_text(deployment)

    asked = await take_back(harness, deployment)

    assert asked["revision"]["appSpecContent"]["content"] == YAML.format(name=ARN)
    again = harness.table("interventions")[0]["deployment_id"]
    assert image(harness, again) == "1.41.0"


async def test_a_family_without_a_number_is_refused_in_words_where_nobody_saw_what_blue_ran(
    harness: Harness,
) -> None:
    harness.aws.faults.add("DescribeServices", "access_denied", times=None)
    unpinned = inline(YAML.format(name=FAMILY))
    harness.aws.deployed_before("order", unpinned)
    deployment = await finished(harness)

    assert "undo" not in harness.actions(deployment)
    assert "without a revision number" in harness.card_text(deployment)
    said = str(await deploys(harness, GRACE, "undo order"))
    assert "without a revision number" in said
    assert harness.table("interventions") == []


async def test_a_first_deployment_is_taken_back_to_what_the_service_was_created_with(
    harness: Harness,
) -> None:
    harness.aws.change_group("order", deployed_before=False)
    deployment = await to_the_end(harness)
    assert "redeploys klp-logistics-order:41" in harness.card_text(deployment)
    await take_back(harness, deployment)
    again = harness.table("interventions")[0]["deployment_id"]
    assert image(harness, again) == "1.41.0"


async def test_a_first_deployment_of_which_nothing_is_known_is_refused_in_words(harness: Harness) -> None:
    harness.aws.faults.add("DescribeServices", "access_denied", times=None)
    harness.aws.change_group("order", deployed_before=False)
    deployment = await finished(harness)
    assert "undo" not in harness.actions(deployment)
    assert "reports no previous revision" in harness.card_text(deployment)


async def test_the_revision_that_serves_now_takes_nothing_back(harness: Harness) -> None:
    same = inline(YAML.format(name=ARN))
    harness.aws.deployed_before("order", same)
    deployment = await to_the_end(harness, revision=same)
    assert "undo" not in harness.actions(deployment)
    assert "is the one that is live now" in harness.card_text(deployment)


async def test_an_inactive_task_definition_is_shown_before_the_approval_and_after_the_end(
    harness: Harness,
) -> None:
    deployment = await harness.deploy("order")
    await evidence_is_in(harness, deployment)
    assert "No rollback once" not in harness.card_text(deployment)
    harness.aws.deregister(f"{FAMILY}:41")
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "No rollback once blue is terminated" in harness.card_text(deployment))
    assert "INACTIVE" in harness.card_text(deployment)
    seen = "SELECT 1 FROM evidence WHERE seen #>> '{blue,revision,active}' = 'false'"
    await harness.until(lambda: harness.rows(seen))
    assert "approve" in harness.actions(deployment)

    await harness.approve("U01MINA", deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(minutes=6)
    await harness.until(lambda: "Completed" in harness.card_text(deployment))
    await harness.until(lambda: "INACTIVE" in harness.card_text(deployment).partition("Completed")[2])
    assert "undo" not in harness.actions(deployment)
