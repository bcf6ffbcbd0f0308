"""The hook endpoint while CodeDeploy or the database is unavailable; and what it never reveals."""

import asyncio
import json
from pathlib import Path
from urllib.request import Request

import pytest

from app.sandbox.aws.faults import Kind
from app.sandbox.fakes import HOOK_SECRET, KID, Fakes
from app.sandbox.people import MINA
from app.sandbox.replica import Replica
from app.web.hooks.signature import sign
from tests.harness import AT_ONCE, Harness, running_harness
from tests.http_client import send
from tests.logs import captured_logs
from tests.postgres_line import line_to
from tests.web.hooks.hook_sender import (
    EXECUTION,
    PATH,
    HookSender,
    deploy_without_hook,
    hook,
    hook_sender,
    left_behind,
    opened,
)

LAMBDA_GIVES_UP = 10.0
"""Seconds that the Lambda waits for an answer."""


@pytest.mark.parametrize(
    "fault", ["throttle", "error", "unavailable", "drop", "access_denied", "expired_token"]
)
async def test_a_gate_is_opened_unverified_while_codedeploy_cannot_be_asked(
    harness: Harness, sender: HookSender, fault: Kind
) -> None:
    deployment = await deploy_without_hook(harness)
    harness.aws.faults.add("*", fault, times=None)

    answer = await sender.send_hook(hook(deployment))

    assert (answer.status, answer.body["state"]) == (202, "unverified")
    (gate,) = opened(harness, deployment)
    assert gate["verified_at"] is None


async def test_an_unverified_gate_offers_no_approve_until_codedeploy_confirms_it(
    harness: Harness, sender: HookSender
) -> None:
    deployment = await deploy_without_hook(harness)
    harness.aws.faults.add("*", "throttle", times=None)
    await sender.send_hook(hook(deployment))
    await harness.until(lambda: harness.find_card(deployment))
    assert "approve" not in harness.actions(deployment)

    harness.aws.faults.clear()

    await harness.until(lambda: "approve" in harness.actions(deployment))
    assert "verified" in "".join(harness.audit(deployment))


async def test_a_hook_that_codedeploy_answers_too_late_is_opened_unverified(
    harness: Harness, sender: HookSender
) -> None:
    deployment = await deploy_without_hook(harness)
    harness.aws.faults.slow("GetDeployment", 8_000, times=1)
    began = asyncio.get_running_loop().time()

    answer = await sender.send_hook(hook(deployment))

    assert (answer.status, answer.body["state"]) == (202, "unverified")
    assert asyncio.get_running_loop().time() - began < LAMBDA_GIVES_UP


def test_without_any_credentials_a_gate_is_opened_unverified(tmp_path: Path, database_url: str) -> None:
    with Fakes(tmp_path, speed=0.0, pace=AT_ONCE, seed=1) as fakes:
        fakes.aws.faults.lose_hooks()
        deployment = fakes.aws.deploy("order")
        keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
        environment = {k: v for k, v in fakes.environment(database_url=database_url).items() if k not in keys}
        nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
        with Replica({**environment, **nowhere}, log=tmp_path / "log") as replica:
            replica.wait_ready()
            answer = send(_signed(replica.url, deployment, fakes))
        assert (answer.status, answer.json()["state"]) == (202, "unverified")


async def test_while_the_database_is_unavailable_the_answer_is_try_again_and_nothing_is_opened(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        line_to(database_url) as line,
        running_harness(tmp_path, line.url, monkeypatch) as harness,
        hook_sender(harness) as sender,
    ):
        harness.database_url = database_url  # the test itself looks past the line
        deployment = await deploy_without_hook(harness)
        await line.cut()

        away = await sender.send_hook(hook(deployment))

        assert (away.status, away.body["error"]) == (503, "try_again")
        assert "send this hook again" in away.body["detail"]
        await line.mend()
        assert set(left_behind(harness).values()) == {0}
        assert (await sender.send_hook(hook(deployment))).status == 202


async def test_while_the_database_says_nothing_the_answer_comes_before_the_lambda_gives_up(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        line_to(database_url) as line,
        running_harness(tmp_path, line.url, monkeypatch) as harness,
        hook_sender(harness) as sender,
    ):
        harness.database_url = database_url  # the test itself looks past the line
        deployment = await deploy_without_hook(harness)
        # Several at once, so that an idle connection lies ready, which only a time-out of ours gives up.
        await asyncio.gather(
            *(sender.send_hook(hook(deployment, name)) for name in ("a", "b", "c", "d", "e", "f"))
        )
        line.mute()
        began = asyncio.get_running_loop().time()

        away = await sender.send_hook(hook(deployment))

        assert (away.status, away.body["error"]) == (503, "try_again")
        assert asyncio.get_running_loop().time() - began < LAMBDA_GIVES_UP
        await line.mend()
        again = await sender.send_hook(hook(deployment))
        assert again.status in {200, 202}
        assert len(opened(harness, deployment)) == 7


async def test_two_keys_are_accepted_while_one_takes_over_from_the_other(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"old": "the-old-secret-0123456789", "new": "the:new:secret-0123456789"}
    both = ",".join(f"{kid}:{secret}" for kid, secret in keys.items())
    environment = {"SWITCHGATE_HOOK_SECRETS": both}
    async with (
        running_harness(tmp_path, database_url, monkeypatch, environment=environment) as harness,
        hook_sender(harness) as sender,
    ):
        deployment = await deploy_without_hook(harness)

        for kid, secret in keys.items():
            assert (await sender.send_hook(hook(deployment, kid), kid=kid, secret=secret)).status == 202
        crossed = await sender.send_hook(hook(deployment), kid="old", secret=keys["new"])

        assert (crossed.status, crossed.body["error"]) == (401, "mismatch")
        assert (await sender.send_hook(hook(deployment))).body["error"] == "unknown_key"
        senders = harness.rows("SELECT actor FROM audit_events WHERE kind = 'gate_opened' ORDER BY id")
        assert [row["actor"] for row in senders] == ["old", "new"]


async def test_no_secret_gets_out(harness: Harness, sender: HookSender) -> None:
    deployment = await deploy_without_hook(harness)
    with captured_logs() as log:
        said = [
            await sender.send_hook(hook(deployment)),
            await sender.send_hook(hook(deployment)),
            await sender.send_hook(hook(deployment), secret="another-secret-0123456789"),
            await sender.send_hook(hook("d-NOBODY")),
            await sender.send_hook(hook(deployment, Extra=EXECUTION)),
            await sender.send_hook({"LifecycleEventHookExecutionId": EXECUTION + "\n"}),
        ]
        await harness.until(lambda: "approve" in harness.actions(deployment))
        harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "error", times=1)
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: harness.aws.calls("PutLifecycleEventHookExecutionStatus"))
        await harness.until(lambda: harness.gate(deployment)["phase"] != "decided")
        for page in ("/metrics", "/api/v1/audit", "/api/v1/gates", "/api/v1/switches"):
            said.append(await sender.send(page, None, {}, method="GET"))

    told = json.dumps(harness.rows("SELECT * FROM audit_events"), default=str)
    everything = [log.getvalue(), told, harness.slack.traffic(), *(answer.text for answer in said)]
    assert "gate_opened" in log.getvalue()
    for secret in (EXECUTION, HOOK_SECRET, "another-secret-0123456789"):
        assert [text for text in everything if secret in text] == []


def _signed(url: str, deployment: str, fakes: Fakes) -> Request:
    body = json.dumps(hook(deployment)).encode()
    moment = int(fakes.slack.clock.now().timestamp())
    headers = sign(kid=KID, secret=HOOK_SECRET, timestamp=moment, method="POST", path=PATH, body=body)
    return Request(url + PATH, data=body, headers={**headers, "Content-Type": "application/json"})
