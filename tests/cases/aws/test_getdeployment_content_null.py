"""GetDeployment never shows an AppSpec's content: undo after the end works by GetApplicationRevision all the same."""

from typing import Any

import pytest

from app.sandbox.cast import GRACE
from tests.cases.aws.undoing import FAMILY, evidence_is_in, image, inline, take_back, to_the_end
from tests.house import House
from tests.journeys.test_undo import finished
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
async def test_undo_deploys_the_previous_revision_by_its_digest(house: House, previous: Any) -> None:
    house.aws.deployed_before("order", previous)
    deployment = await to_the_end(house)

    assert "undo" in house.actions(deployment)
    assert "Undo deploys klp-logistics-order:41 again" in house.says(deployment)
    asked = await take_back(house, deployment)

    member = "appSpecContent" if previous["revisionType"] == "AppSpecContent" else "string"
    assert asked["revision"]["revisionType"] == previous["revisionType"]
    assert set(asked["revision"][member]) == {"sha256"}
    shown = house.aws.calls("GetApplicationRevision")
    assert asked["revision"] in [call.params["revision"] for call in shown]
    again = house.table("interventions")[0]["deployment_id"]
    assert image(house, again) == "1.41.0"


async def test_without_the_permission_undo_is_offered_under_the_digest(house: House) -> None:
    house.aws.faults.add("GetApplicationRevision", "access_denied", times=None)
    deployment = await to_the_end(house)

    assert "Undo deploys sha256:" in house.says(deployment)
    await take_back(house, deployment)
    again = house.table("interventions")[0]["deployment_id"]
    assert image(house, again) == "1.41.0"


async def test_while_codedeploy_throttles_undo_is_offered_without_a_name(house: House) -> None:
    house.aws.faults.add("GetApplicationRevision", "throttle", times=None)
    deployment = await finished(house)

    assert "Undo deploys what served before again" in house.says(deployment)
    house.aws.faults.clear("GetApplicationRevision")
    await take_back(house, deployment)


async def test_the_card_names_what_green_runs_where_ecs_may_not_be_asked_for_the_service(
    house: House,
) -> None:
    house.aws.faults.add("DescribeServices", "access_denied", times=None)
    deployment = await house.deploy("order")
    await house.until(lambda: "1.42.0" in house.says(deployment))


async def test_a_family_without_a_number_is_deployed_as_blue_ran_it(house: House) -> None:
    """The latest ACTIVE revision of the family is green's own."""
    unpinned = inline(YAML.format(name=FAMILY))
    house.aws.deployed_before("order", unpinned)
    deployment = await to_the_end(house, revision=unpinned)
    assert image(house, deployment) == "1.42.0"
    assert "Undo deploys klp-logistics-order:41 again" in house.says(deployment)

    asked = await take_back(house, deployment)

    assert asked["revision"]["appSpecContent"]["content"] == YAML.format(name=ARN)
    again = house.table("interventions")[0]["deployment_id"]
    assert image(house, again) == "1.41.0"


async def test_a_family_without_a_number_is_refused_in_words_where_nobody_saw_what_blue_ran(
    house: House,
) -> None:
    house.aws.faults.add("DescribeServices", "access_denied", times=None)
    unpinned = inline(YAML.format(name=FAMILY))
    house.aws.deployed_before("order", unpinned)
    deployment = await finished(house)

    assert "undo" not in house.actions(deployment)
    assert "without a revision number" in house.says(deployment)
    said = str(await deploys(house, GRACE, "undo order"))
    assert "without a revision number" in said
    assert house.table("interventions") == []


async def test_a_first_deployment_is_taken_back_to_what_the_service_was_created_with(house: House) -> None:
    house.aws.change_group("order", deployed_before=False)
    deployment = await to_the_end(house)
    assert "Undo deploys klp-logistics-order:41 again" in house.says(deployment)
    await take_back(house, deployment)
    again = house.table("interventions")[0]["deployment_id"]
    assert image(house, again) == "1.41.0"


async def test_a_first_deployment_of_which_nothing_is_known_is_refused_in_words(house: House) -> None:
    house.aws.faults.add("DescribeServices", "access_denied", times=None)
    house.aws.change_group("order", deployed_before=False)
    deployment = await finished(house)
    assert "undo" not in house.actions(deployment)
    assert "names no previous revision" in house.says(deployment)


async def test_the_revision_that_serves_now_takes_nothing_back(house: House) -> None:
    same = inline(YAML.format(name=ARN))
    house.aws.deployed_before("order", same)
    deployment = await to_the_end(house, revision=same)
    assert "undo" not in house.actions(deployment)
    assert "is the one that serves now" in house.says(deployment)


async def test_an_inactive_task_definition_is_told_before_the_approval_and_after_the_end(
    house: House,
) -> None:
    deployment = await house.deploy("order")
    await evidence_is_in(house, deployment)
    assert "no way back" not in house.says(deployment)
    house.aws.deregister(f"{FAMILY}:41")
    house.clock.advance(seconds=30)
    await house.until(lambda: "Once blue is gone there is no way back" in house.says(deployment))
    assert "INACTIVE" in house.says(deployment)
    seen = "SELECT 1 FROM evidence WHERE seen #>> '{blue,revision,active}' = 'false'"
    await house.until(lambda: house.rows(seen))
    assert "approve" in house.actions(deployment)

    await house.approve("U01MINA", deployment)
    assert await house.told(deployment) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    house.clock.advance(minutes=6)
    await house.until(lambda: "Finished" in house.says(deployment))
    await house.until(lambda: "INACTIVE" in house.says(deployment).partition("Finished")[2])
    assert "undo" not in house.actions(deployment)
