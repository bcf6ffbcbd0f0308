"""A pipeline withdraws the undecided switch of an older build by the API."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import ClientSession

from app.sandbox.people import MINA
from tests.harness import Harness, running_harness

TOKEN = "a-token-that-withdraws-0123456789"
READER = "a-token-that-reads-0123456789"
OTHER = "another-token-that-withdraws-0123456789"
ENVIRONMENT = {
    "SWITCHGATE_API_TOKENS": f"ci:{TOKEN}:switches:withdraw,web:{OTHER}:switches:withdraw,grafana:{READER}"
}
BUILD = "klp/order@4f2a1c9d8e7b"


@pytest.fixture
async def switchgate(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    async with running_harness(tmp_path, database_url, monkeypatch, environment=ENVIRONMENT) as built:
        yield built


async def withdraw(
    switchgate: Harness, deployment: str, *, domain: str = "order", token: str = TOKEN, **query: str
) -> tuple[int, Any]:
    """What the pipeline of that domain sends."""
    body = {
        "build": BUILD,
        "application": f"klp-logistics-{domain}-app",
        "deployment_group": f"klp-logistics-{domain}-dg",
        "reason": "fixes <the> *rounding*",
    }
    url = f"{switchgate.url}/api/v1/switches/{deployment}/withdraw"
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        ClientSession(headers=headers) as session,
        session.post(url, json=body, params=query) as answer,
    ):
        return answer.status, await answer.json()


async def test_codedeploy_is_told_and_card_and_trail_say_by_which_build(switchgate: Harness) -> None:
    deployment, _ = await switchgate.open_gate("order")
    status, answer = await withdraw(switchgate, deployment)
    assert status == 200
    gate = switchgate.gate(deployment)
    assert answer == {
        "deployment_id": deployment,
        "account": answer["account"],
        "region": "ap-northeast-2",
        "domain": "order",
        "gate_id": str(gate["id"]),
        "build": BUILD,
        "by": "ci",
    }
    assert await switchgate.reported(deployment) == ["Failed"]
    assert (gate["verdict"], gate["decided_by"], gate["decided_name"]) == ("withdrawn", None, BUILD)
    await switchgate.until(lambda: f"a newer build replaces it ({BUILD})" in switchgate.card_text(deployment))
    assert "*rounding*" not in switchgate.card_text(deployment)
    assert "Traffic stays on blue" in switchgate.card_text(deployment)
    (event,) = switchgate.rows("SELECT * FROM audit_events WHERE kind = 'gate_withdrawn'")
    assert (event["actor_kind"], event["actor"], event["actor_name"]) == ("api", "ci", BUILD)
    await switchgate.approve(MINA.id, deployment)
    await switchgate.until(lambda: BUILD in str(switchgate.ephemerals(MINA.id)))


async def test_the_same_build_may_ask_again(switchgate: Harness) -> None:
    deployment, _ = await switchgate.open_gate("order")
    first = await withdraw(switchgate, deployment)
    assert await withdraw(switchgate, deployment) == first
    assert await switchgate.reported(deployment) == ["Failed"]
    assert len(switchgate.rows("SELECT 1 FROM audit_events WHERE kind = 'gate_withdrawn'")) == 1


async def test_a_repeat_is_of_the_same_token_build_and_deployment_group(switchgate: Harness) -> None:
    deployment, _ = await switchgate.open_gate("order")
    assert (await withdraw(switchgate, deployment))[0] == 200
    status, problem = await withdraw(switchgate, deployment, token=OTHER)
    assert (status, problem["error"]) == (409, "already_decided")
    status, problem = await withdraw(switchgate, deployment, domain="payment")
    assert (status, problem["error"]) == (409, "another_domain")


async def test_a_rollback_is_never_withdrawn(switchgate: Harness) -> None:
    deployment, _ = await switchgate.open_gate("order")
    # As between the opening of a rollback's gate and its own approval.
    with psycopg.connect(switchgate.database_url, autocommit=True) as database:
        database.execute("UPDATE switches SET creator = 'codeDeployRollback'")
    status, problem = await withdraw(switchgate, deployment)
    assert (status, problem["error"]) == (409, "is_a_rollback")
    assert switchgate.gate(deployment)["phase"] == "awaiting"


async def test_a_decided_switch_is_not_withdrawn(switchgate: Harness) -> None:
    deployment, _ = await switchgate.open_gate("order")
    await switchgate.approve(MINA.id, deployment)
    status, problem = await withdraw(switchgate, deployment)
    assert (status, problem["error"]) == (409, "already_decided")
    assert "(approved)" in problem["detail"]
    assert await switchgate.reported(deployment) == ["Succeeded"]
    (event,) = switchgate.rows("SELECT * FROM audit_events WHERE kind = 'vote_denied'")
    assert (event["actor_kind"], event["actor"]) == ("api", "ci")
    assert event["detail"] == {"choice": "withdraw", "code": "already_decided"}


async def test_the_pipeline_of_another_domain_withdraws_nothing(switchgate: Harness) -> None:
    deployment, _ = await switchgate.open_gate("order")
    status, problem = await withdraw(switchgate, deployment, domain="payment")
    assert (status, problem["error"]) == (409, "another_domain")
    assert switchgate.gate(deployment)["phase"] == "awaiting"
    assert "vote_denied" in switchgate.audit(deployment)


async def test_a_token_without_the_scope_and_an_unknown_deployment(switchgate: Harness) -> None:
    deployment, _ = await switchgate.open_gate("order")
    status, problem = await withdraw(switchgate, deployment, token=READER)
    assert (status, problem["error"]) == (403, "wrong_scope")
    for unknown, query in (("d-UNKNOWN01", {}), (deployment, {"account": "999999999999"})):
        status, problem = await withdraw(switchgate, unknown, **query)
        assert (status, problem["error"]) == (404, "no_such_switch")
    assert switchgate.gate(deployment)["phase"] == "awaiting"


async def test_a_switch_that_codedeploy_has_not_confirmed_is_asked_for_later(switchgate: Harness) -> None:
    for read in ("GetDeployment", "BatchGetDeployments"):
        switchgate.aws.faults.add(read, "access_denied", times=None)
    deployment = switchgate.aws.deploy("order")
    await switchgate.until(lambda: switchgate.rows("SELECT 1 FROM gates"))
    status, problem = await withdraw(switchgate, deployment)
    assert (status, problem["error"]) == (409, "not_verified")
