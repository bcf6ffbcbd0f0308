"""EventBridge's state changes: they make polls due, and change nothing else."""

import asyncio
from typing import Any

from app.hook_lambda.handler import handle
from app.sandbox.aws.state.topology import ACCOUNT, REGION
from app.sandbox.fakes import LambdaContext
from tests.harness import Harness
from tests.web.hooks.hook_sender import HookSender


def state_change(deployment: str, state: str = "STOP", **more: Any) -> dict[str, Any]:
    """As EventBridge sends it."""
    return {
        "version": "0",
        "id": "c071bfbf-83c4-49ca-a6ff-3df053957145",
        "source": "aws.codedeploy",
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-24T03:06:31Z",
        "detail-type": "CodeDeploy Deployment State-change Notification",
        "resources": [],
        "detail": {"region": REGION, "deploymentId": deployment, "state": state},
        **more,
    }


async def forward(harness: Harness, event: dict[str, Any]) -> dict[str, Any]:
    """The Lambda gets the event."""
    env = harness.fakes.lambda_environment()
    lines: list[str] = []
    return await asyncio.to_thread(
        handle, event, LambdaContext(20), env=env, now=harness.fakes.lambda_time, write=lines.append
    )


async def test_a_state_change_has_an_ending_noticed_at_once(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: harness.rows("SELECT 1 FROM switches WHERE hook_started_at IS NOT NULL"))
    harness.aws.stop_deployment(deployment)
    harness.aws.clock.advance(5)

    done = await forward(harness, state_change(deployment))

    assert done["outcome"] == "hinted"
    await harness.until(lambda: harness.gate(deployment)["verdict"] == "withdrawn")


async def test_doubled_disordered_and_foreign_hints_change_nothing(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")

    for state in ("SUCCESS", "START", "SUCCESS", "FAILURE"):
        assert (await forward(harness, state_change(deployment, state)))["outcome"] == "hinted"
    assert (await forward(harness, state_change("d-UNKNOWN00")))["outcome"] == "hinted"
    await harness.service.workers["poll_deployment"].run_until_idle()

    assert harness.gate(deployment)["phase"] == "awaiting"
    loops_own = {"card_posted", "evidence_collected"}
    assert [kind for kind in harness.audit(deployment) if kind not in loops_own] == ["gate_opened"]
    assert len(harness.table("switches")) == 1


async def test_a_state_change_without_our_signature_is_refused(harness: Harness, sender: HookSender) -> None:
    path = "/events/codedeploy"
    forged = await sender.send_hook(
        state_change("d-1"), secret="somebody else's", path=path, signed_path=path
    )
    for_hooks = await sender.send_hook(state_change("d-1"), path=path)
    nonsense = await sender.send_hook({"detail": {}}, path=path, signed_path=path)

    assert (forged.status, for_hooks.status, nonsense.status) == (401, 401, 400)
    assert "source" in nonsense.text
