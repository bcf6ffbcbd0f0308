"""The hook endpoint: what it opens, and how everything else is refused, over HTTP against the complete harness."""

import asyncio
from hashlib import sha256
from uuid import UUID

import pytest

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import MINA
from tests.harness import Harness
from tests.web.hooks.hook_sender import (
    EXECUTION,
    PATH,
    HookSender,
    deploy_without_hook,
    hook,
    left_behind,
    opened,
)

ODD = {
    "quotes": "'; DROP TABLE gates; -- \" \\ `$(id)` %s {x}",
    "markup": "<script>alert(1)</script> <!channel> &amp;",
    "other scripts": "실행 아이디 \N{PARTY POPPER} \u202etfel\u2069 e\u0301",
    "padding": "eyJ=+/===  two  spaces ",
    "eight kilobytes": "Ab1+/=" * 1366,
}


async def test_a_hook_opens_a_gate_and_is_answered_at_once(harness: Harness, sender: HookSender) -> None:
    deployment = await deploy_without_hook(harness)

    answer = await sender.send_hook(hook(deployment))

    assert answer.status == 202
    (gate,) = opened(harness, deployment)
    assert answer.body == {"gate": str(gate["id"]), "state": "awaiting"}
    assert gate["execution_hash"] == sha256(EXECUTION.encode()).hexdigest()
    assert harness.audit(deployment)[0] == "gate_opened"


async def test_the_same_hook_again_is_told_what_became_of_its_gate(
    harness: Harness, sender: HookSender
) -> None:
    deployment = await deploy_without_hook(harness)
    first = await sender.send_hook(hook(deployment))
    again = await sender.send_hook(hook(deployment))
    assert (again.status, again.body) == (200, {"gate": first.body["gate"], "state": "awaiting"})

    await harness.until(lambda: "approve" in harness.actions(deployment))
    await harness.approve(MINA.id, deployment)

    decided = await sender.send_hook(hook(deployment))
    assert (decided.status, decided.body) == (200, {"gate": first.body["gate"], "state": "approved"})
    assert len(opened(harness, deployment)) == 1


async def test_twenty_of_the_same_hook_at_once_open_one_gate(harness: Harness, sender: HookSender) -> None:
    deployment = await deploy_without_hook(harness)

    answers = await asyncio.gather(*(sender.send_hook(hook(deployment)) for _ in range(20)))

    assert sorted(answer.status for answer in answers) == [200] * 19 + [202]
    assert len({answer.body["gate"] for answer in answers}) == 1
    assert len(opened(harness, deployment)) == 1
    assert harness.audit(deployment).count("gate_opened") == 1


async def test_another_execution_of_the_same_deployment_is_another_gate(
    harness: Harness, sender: HookSender
) -> None:
    deployment = await deploy_without_hook(harness)
    await sender.send_hook(hook(deployment))

    answer = await sender.send_hook(hook(deployment, "another"))

    assert answer.status == 202
    assert [gate["hook_name"] for gate in opened(harness, deployment)] == ["BeforeAllowTraffic"] * 2


@pytest.mark.parametrize("execution", ODD.values(), ids=ODD.keys())
async def test_an_odd_execution_id_reaches_codedeploy_as_it_came(
    harness: Harness, sender: HookSender, execution: str
) -> None:
    deployment = await deploy_without_hook(harness)

    assert (await sender.send_hook(hook(deployment, execution))).status == 202
    await harness.until(lambda: "approve" in harness.actions(deployment))
    await harness.approve(MINA.id, deployment)

    put = "PutLifecycleEventHookExecutionStatus"
    await harness.until(lambda: harness.aws.calls(put))
    assert harness.aws.calls(put)[0].params["lifecycleEventHookExecutionId"] == _shown(execution)
    await harness.until(lambda: harness.gate(deployment)["phase"] != "decided")
    assert harness.gate(deployment)["execution_id"] is None


async def test_the_words_around_an_event_may_say_where_and_which_hook(
    harness: Harness, sender: HookSender
) -> None:
    deployment = await deploy_without_hook(harness)
    more = {"HookName": "BeforeAllowTraffic", "AccountId": "123456789012", "Region": "ap-northeast-2"}

    answer = await sender.send_hook(hook(deployment, **more), Content_Type="Application/JSON; charset=utf-8")

    assert answer.status == 202
    assert harness.rows("SELECT account, region FROM switches") == [
        {"account": "123456789012", "region": "ap-northeast-2"}
    ]
    assert UUID(answer.body["gate"]).version == 4


async def test_a_body_without_a_length_is_read_all_the_same(harness: Harness, sender: HookSender) -> None:
    deployment = await deploy_without_hook(harness)
    body = f'{{"DeploymentId": "{deployment}", "LifecycleEventHookExecutionId": "{EXECUTION}"}}'.encode()
    head = {**sender.signature(body), "Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"

    answer = await sender.raw(_request(PATH, head) + pieces)

    assert answer.status == 202
    assert len(opened(harness, deployment)) == 1


async def test_a_group_that_is_nobodys_domain_is_refused_and_the_refusal_recorded(
    harness: Harness, sender: HookSender
) -> None:
    harness.aws.add_domain(SandboxDomain("stranger", 9999))
    deployment = await deploy_without_hook(harness, "stranger")
    before = await sender.counted("not_ours")

    answer = await sender.send_hook(hook(deployment))

    assert answer.status == 422
    assert answer.body["error"] == "not_ours"
    assert (
        "klp-logistics-stranger-app/klp-logistics-stranger-dg is not a configured domain"
        in answer.body["detail"]
    )
    assert left_behind(harness) == _nothing() | {"audit_events": 1}
    assert harness.audit(deployment) == ["hook_refused"]
    assert await sender.counted("not_ours") == before + 1


async def test_a_deployment_that_codedeploy_does_not_know_is_refused(
    harness: Harness, sender: HookSender
) -> None:
    answer = await sender.send_hook(hook("d-NOBODY123"))

    assert answer.status == 422
    assert "CodeDeploy has no deployment d-NOBODY123" in answer.body["detail"]
    assert left_behind(harness) == _nothing() | {"audit_events": 1}


async def test_a_deployment_that_is_over_is_refused(harness: Harness, sender: HookSender) -> None:
    deployment = await deploy_without_hook(harness)
    harness.aws.stop_deployment(deployment, rollback=False)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)

    answer = await sender.send_hook(hook(deployment))

    assert answer.status == 422
    assert "the deployment is over: Stopped" in answer.body["detail"]
    assert opened(harness, deployment) == []


async def test_a_repeated_hook_is_known_even_when_its_deployment_is_over(
    harness: Harness, sender: HookSender
) -> None:
    deployment = await deploy_without_hook(harness)
    first = await sender.send_hook(hook(deployment))
    harness.aws.stop_deployment(deployment, rollback=False)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)

    again = await sender.send_hook(hook(deployment))

    assert (again.status, again.body["gate"]) == (200, first.body["gate"])


def _shown(execution: str) -> str:
    """An execution id as the stand-in's list of calls has it."""
    return f"sha256:{sha256(execution.encode()).hexdigest()}"


def _nothing() -> dict[str, int]:
    return dict.fromkeys(("switches", "gates", "cards", "votes", "reports", "audit_events"), 0)


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: switchgate", "Connection: close"]
    return (
        "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]).encode() + b"\r\n\r\n"
    )
