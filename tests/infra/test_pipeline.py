"""The workflow's own scripts, against the real service and the stand-ins: register, deploy, gate, decision, summary."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.people import MINA
from tests.harness import Harness, running_harness
from tests.infra.pipeline_runner import GITHUB, Done, Runner

TOKEN = "pipeline-token-0123456789abcdef"
READER = "reader-token-0123456789abcdefgh"
APPLICATION, GROUP = "klp-logistics-order-app", "klp-logistics-order-dg"
DEFINITION = {
    "family": "klp-logistics-order",
    "networkMode": "awsvpc",
    "cpu": "512",
    "memory": "1024",
    "containerDefinitions": [
        {"name": "order", "image": "order:PLACEHOLDER", "portMappings": [{"containerPort": 8020}]}
    ],
}


AHEAD = 86_400
"""Seconds that the stand-in's clock may be ahead of the job's, which is real."""


@pytest.fixture
async def switchgate(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    """The service, with a token for pipelines."""
    tokens = {"SWITCHGATE_API_TOKENS": f"ci:{TOKEN}:read+checks+switches:withdraw,reader:{READER}"}
    async with running_harness(tmp_path, database_url, monkeypatch, environment=tokens) as built:
        yield built


@pytest.fixture
def job(switchgate: Harness, tmp_path: Path) -> Runner:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "task-definition.json").write_text(json.dumps(DEFINITION))
    return Runner(folder, switchgate.aws.environment())


def api(switchgate: Harness) -> dict[str, str]:
    return {"api_url": switchgate.url, "api_token": TOKEN, "channel": "#deploys", "poll_seconds": "0.1"}


async def deploy(switchgate: Harness, job: Runner, **inputs: str) -> Done:
    """The step that registers, creates and waits for the gate."""
    wanted = {
        "application": APPLICATION,
        "deployment_group": GROUP,
        "task_definition": "task-definition.json",
        "image": "klp/order@sha256:" + "5" * 64,
        "container_name": "order",
        "container_port": "8020",
        "hook_function": "CodeDeployHook_switchgate",
        "title": "주문 취소 사유를 기록합니다 (#2240)\n\nLonger text.",
        **api(switchgate),
        **inputs,
    }
    running = asyncio.create_task(job.run("deploy", **wanted))
    await switchgate.advance_until(running.done)
    return running.result()


async def follow(switchgate: Harness, job: Runner, deployment: str, **inputs: str) -> Done:
    wanted = {"deployment_id": deployment, **api(switchgate), **inputs}
    running = asyncio.create_task(job.run("follow", **wanted))
    await switchgate.advance_until(running.done)
    return running.result()


def calls(switchgate: Harness, op: str) -> list[Any]:
    return [call for call in switchgate.aws.calls() if call.op == op]


async def test_a_switch_is_registered_once_approved_and_followed(switchgate: Harness, job: Runner) -> None:
    deployed = await deploy(switchgate, job)
    assert deployed.code == 0, deployed.log
    deployment = deployed.outputs["deployment-id"]
    assert "**klp-logistics-order-app** waits for approval in \\#deploys since " in deployed.summary
    gate = switchgate.gate(deployment)
    since, until = (f"{gate[name]:%H:%M}" for name in ("opened_at", "deadline_at"))
    assert f"since {since}, until {until} (UTC)." in deployed.summary
    assert "주문 취소 사유를 기록합니다" in deployed.summary
    assert "Longer text" not in deployed.summary

    (registered,) = calls(switchgate, "RegisterTaskDefinition")
    tags = {tag["key"]: tag["value"] for tag in registered.params["tags"]}
    assert tags == {
        "git-sha": GITHUB["GITHUB_SHA"],
        "git-repo": "klp/order",
        "github-run": "8812401",
        "github-actor": "jun-lee",
        "github-pr-title": "주문 취소 사유를 기록합니다 2240",
    }
    (created,) = calls(switchgate, "CreateDeployment")
    appspec = json.loads(created.params["revision"]["appSpecContent"]["content"])
    assert appspec["Hooks"] == [{"BeforeAllowTraffic": "CodeDeployHook_switchgate"}]
    assert deployed.outputs["task-definition-arn"] in json.dumps(appspec)

    await switchgate.until(lambda: "approve" in switchgate.actions(deployment))
    await switchgate.approve(MINA.id, deployment)
    followed = await follow(switchgate, job, deployment)
    assert followed.code == 0, followed.log
    assert "### ✅ Switched" in followed.summary
    assert "approved by mina" in followed.summary
    assert switchgate.aws.share("order")["green"] == 100


async def test_a_rejection_fails_with_who_and_why(switchgate: Harness, job: Runner) -> None:
    deployment = (await deploy(switchgate, job)).outputs["deployment-id"]
    await switchgate.until(lambda: "reject" in switchgate.actions(deployment))
    await switchgate.reject(MINA.id, deployment, "Coupons are *broken*.")
    followed = await follow(switchgate, job, deployment)
    assert followed.code == 1
    assert "::error title=Rejected::The switch was rejected by mina" in followed.log
    assert "### ❌ Rejected" in followed.summary
    assert r"Coupons are \*broken\*." in followed.summary
    assert switchgate.aws.share("order")["blue"] == 100


async def test_a_gate_that_nobody_decides_fails_as_expired(switchgate: Harness, job: Runner) -> None:
    deployment = (await deploy(switchgate, job)).outputs["deployment-id"]
    await switchgate.until(lambda: "approve" in switchgate.actions(deployment))
    switchgate.clock.advance(minutes=56)
    followed = await follow(switchgate, job, deployment)
    assert followed.code == 1
    assert "::error title=Expired::Nobody decided before the deadline." in followed.log


async def test_without_the_api_codedeploy_alone_says_how_it_ended(switchgate: Harness, job: Runner) -> None:
    deployed = await deploy(switchgate, job, api_url="", api_token="", time_zone="Asia/Seoul")
    deployment = deployed.outputs["deployment-id"]
    assert "waits for approval in \\#deploys since " in deployed.summary
    assert "(Asia/Seoul)" in deployed.summary
    await switchgate.until(lambda: "reject" in switchgate.actions(deployment))
    await switchgate.reject(MINA.id, deployment, "No.")
    followed = await follow(switchgate, job, deployment, api_url="", api_token="")
    assert followed.code == 1
    assert "The switch was not approved: it was rejected, or its deadline passed" in followed.log


async def test_an_alarm_after_the_approval_is_a_rollback(switchgate: Harness, job: Runner) -> None:
    canary = "CodeDeployDefault.ECSCanary10Percent5Minutes"
    deployment = (await deploy(switchgate, job, deployment_config=canary)).outputs["deployment-id"]
    await switchgate.until(lambda: "approve" in switchgate.actions(deployment))
    await switchgate.approve(MINA.id, deployment)
    await switchgate.advance_until(lambda: switchgate.aws.share("order")["green"] == 10)
    switchgate.aws.set_alarm("order", "ALARM")
    followed = await follow(switchgate, job, deployment)
    assert followed.code == 1
    assert "::error title=Rolled back::The switch was approved, then CodeDeploy ended" in followed.log


async def test_a_group_that_is_busy_is_said_with_its_deployment(switchgate: Harness, job: Runner) -> None:
    first = (await deploy(switchgate, job)).outputs["deployment-id"]
    second = await deploy(switchgate, job)
    assert second.code == 1
    assert f"::error title=Another deployment is active::{first} is still under way" in second.log


async def test_a_newer_build_withdraws_the_one_that_waits(switchgate: Harness, job: Runner) -> None:
    first = (await deploy(switchgate, job)).outputs["deployment-id"]
    switchgate.aws.make_older(first, seconds=AHEAD)
    await switchgate.until(lambda: "approve" in switchgate.actions(first))
    second = await deploy(switchgate, job, supersede="true")
    assert second.code == 0, second.log
    deployment = second.outputs["deployment-id"]
    assert f"{first} is withdrawn: this build replaces it" in second.log
    assert f"Withdrew `{first}`" in second.summary
    assert await switchgate.reported(first) == ["Failed"]
    gate = switchgate.gate(first)
    build = "klp/order@4f2a1c9d8e7b (run 8812401)"
    assert (gate["verdict"], gate["decided_by"], gate["decided_name"]) == ("withdrawn", None, build)
    await switchgate.until(lambda: f"a newer build replaces it ({build})" in switchgate.card_text(first))
    assert "approve" not in switchgate.actions(first)
    (event,) = switchgate.rows("SELECT * FROM audit_events WHERE kind = 'gate_withdrawn'")
    assert (event["actor_kind"], event["actor"], event["actor_name"]) == ("api", "ci", build)
    assert len(calls(switchgate, "RegisterTaskDefinition")) == 2  # once for each build

    followed = await follow(switchgate, job, first)
    assert followed.code == 1
    assert f"The switch was withdrawn by {build}" in followed.log.replace("\\", "")
    await switchgate.until(lambda: "approve" in switchgate.actions(deployment))
    await switchgate.approve(MINA.id, deployment)
    assert (await follow(switchgate, job, deployment)).code == 0


async def test_a_newer_build_does_not_withdraw_what_is_approved(switchgate: Harness, job: Runner) -> None:
    canary = "CodeDeployDefault.ECSCanary10Percent5Minutes"
    first = (await deploy(switchgate, job, deployment_config=canary)).outputs["deployment-id"]
    switchgate.aws.make_older(first, seconds=AHEAD)
    await switchgate.until(lambda: "approve" in switchgate.actions(first))
    await switchgate.approve(MINA.id, first)
    assert await switchgate.reported(first) == ["Succeeded"]
    second = await deploy(switchgate, job, supersede="true")
    assert second.code == 1
    assert f"{first} is approved already, so it is not withdrawn" in second.log
    assert switchgate.gate(first)["verdict"] == "approved"


async def test_what_may_be_newer_than_this_run_is_not_withdrawn(switchgate: Harness, job: Runner) -> None:
    switchgate.clock.advance(minutes=10)
    first = (await deploy(switchgate, job)).outputs["deployment-id"]
    again = await deploy(switchgate, job, supersede="true", run_attempt="2")
    assert again.code == 1
    assert f"This run is repeated, so {first} may be of a newer build" in again.log
    older = await deploy(switchgate, job, supersede="true")
    assert older.code == 1
    assert f"{first} was made after this job had begun" in older.log
    assert switchgate.gate(first)["phase"] == "awaiting"


async def test_a_token_without_the_scope_withdraws_nothing(switchgate: Harness, job: Runner) -> None:
    first = (await deploy(switchgate, job)).outputs["deployment-id"]
    switchgate.aws.make_older(first, seconds=AHEAD)
    second = await deploy(switchgate, job, supersede="true", api_token=READER)
    assert second.code == 1
    assert "::error title=Not withdrawn::" in second.log
    assert "has not the scope `switches:withdraw`" in second.log
    assert switchgate.gate(first)["phase"] == "awaiting"


async def test_supersede_without_the_api_is_refused_before_anything_is_made(
    switchgate: Harness, job: Runner
) -> None:
    done = await deploy(switchgate, job, supersede="true", api_url="", api_token="")
    assert done.code == 1
    assert "api-url is not set, and supersede withdraws by Switchgate's API" in done.log
    assert calls(switchgate, "RegisterTaskDefinition") == []


async def test_a_smoke_check_is_reported_with_its_last_line(switchgate: Harness, job: Runner) -> None:
    deployment = (await deploy(switchgate, job)).outputs["deployment-id"]
    wanted = {"deployment_id": deployment, "check_name": "order-create smoke", **api(switchgate)}
    for command, state, said in (
        ("echo first; echo '12 requests'", "passed", "12 requests"),
        ("echo '2 of 12 failed' >&2; exit 3", "failed", "2 of 12 failed"),
    ):
        done = await job.run("smoke", check_command=command, **wanted)
        assert done.code == 0, done.log
        assert done.outputs["check-state"] == state
        (check,) = switchgate.rows("SELECT state, summary, url FROM checks WHERE name = 'order-create smoke'")
        assert (check["state"], check["summary"]) == (state, said)
        assert check["url"] == "https://github.com/klp/order/actions/runs/8812401"


async def test_the_token_of_the_api_does_not_reach_the_smoke_command(
    switchgate: Harness, job: Runner
) -> None:
    deployment = (await deploy(switchgate, job)).outputs["deployment-id"]
    wanted = {"deployment_id": deployment, "check_name": "environment", **api(switchgate)}
    done = await job.run("smoke", check_command='echo "token: ${API_TOKEN:-none}"', **wanted)
    assert "token: none" in done.log
    assert TOKEN not in done.log


async def test_a_missing_input_is_named(switchgate: Harness, job: Runner) -> None:
    done = await deploy(switchgate, job, application="")
    assert done.code == 1
    assert "::error title=Input missing::application is not set" in done.log
    assert calls(switchgate, "RegisterTaskDefinition") == []


async def test_a_token_is_never_sent_without_tls(switchgate: Harness, job: Runner) -> None:
    done = await deploy(switchgate, job, api_url="http://switchgate.example.com")
    assert done.code == 1
    assert "must begin with https://" in done.log


async def test_a_pipeline_that_waits_too_long_says_that_the_deployment_goes_on(
    switchgate: Harness, job: Runner
) -> None:
    deployment = (await deploy(switchgate, job)).outputs["deployment-id"]
    followed = await follow(switchgate, job, deployment, timeout_minutes="0.001")
    assert followed.code == 1
    assert f"::error title=Timed out::{deployment} is not through" in followed.log
    assert switchgate.aws.deployment(deployment).waits_for == "BeforeAllowTraffic"
