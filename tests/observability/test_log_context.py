"""What a log line says about where it comes from: the request, the worker, the deployment and the gate."""

import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

import aiohttp
import pytest

from app.sandbox.people import JUN, MINA
from app.slack.log_context import gate_of
from tests.harness import Harness, pressable
from tests.logs import captured_logs

GATE = "0123abcd-0000-4000-8000-000000000001"
OTHER = "0123abcd-0000-4000-8000-000000000002"


def lines(log: StringIO, event: str) -> Sequence[dict[str, Any]]:
    written = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in written if line["event"] == event]


def ids(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line.get(name) for name in ("deployment", "gate")}


async def test_hook_and_report_carry_deployment_and_gate(harness: Harness) -> None:
    with captured_logs("INFO") as log:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: lines(log, "reported"))
    gate = str(harness.gate(deployment)["id"])
    (opened,), (reported,) = lines(log, "gate_opened"), lines(log, "reported")
    assert ids(opened) == ids(reported) == {"deployment": deployment, "gate": gate}
    assert len(opened["request_id"]) == 16
    assert reported["worker"] == "report_decision"
    assert "request_id" not in reported


async def test_a_job_that_fails_says_which_gate_it_was_about(harness: Harness) -> None:
    with captured_logs("INFO") as log:
        harness.slack.faults.error("chat.postMessage", "internal_error")
        harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "throttle")
        first, _ = await harness.open_gate("order")
        second, _ = await harness.open_gate("hub")
        await harness.approve(MINA.id, first)
        await harness.reported(first)
    by_deployment = {each: str(harness.gate(each)["id"]) for each in (first, second)}
    (card,) = lines(log, "card_not_published")
    assert by_deployment[card["deployment"]] == card["gate"]
    assert card["worker"] == "publish_card"
    (failed,) = lines(log, "report_failed")
    assert ids(failed) == {"deployment": first, "gate": by_deployment[first]}


async def test_a_press_and_what_follows_its_ack_carry_the_envelope_and_the_gate(harness: Harness) -> None:
    deployment, card = await harness.open_gate("order")
    assert "approve" in pressable(card.shown.blocks)
    with captured_logs("INFO") as log:
        harness.slack.faults.error("chat.postEphemeral", "internal_error", times=None)
        await harness.approve(JUN.id, deployment)
        await harness.until(
            lambda: lines(log, "slack_reply_failed") or lines(log, "answered_by_response_url")
        )
        await harness.approve(JUN.id, deployment)
        await harness.until(lambda: len(lines(log, "vote_denied")) == 2)
    first, second = lines(log, "vote_denied")
    gate = str(harness.gate(deployment)["id"])
    assert ids(first) == ids(second) == {"deployment": deployment, "gate": gate}
    assert first["request_id"] != second["request_id"]
    (reply, *_) = [*lines(log, "slack_reply_failed"), *lines(log, "answered_by_response_url")]
    assert (reply["request_id"], reply["gate"]) == (first["request_id"], gate)


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("req-0123456789", True),
        ("short", False),
        ("x" * 65, False),
        ('evil" gate="other', False),
        ("", False),
    ],
)
async def test_the_id_of_a_request_is_returned_and_is_the_proxys_if_it_is_one(
    harness: Harness, sent: str, taken: bool
) -> None:
    with captured_logs("INFO") as log:
        async with aiohttp.ClientSession() as session:
            url = f"{harness.url}/hooks/codedeploy"
            async with session.post(url, data=b"{}", headers={"X-Request-Id": sent}) as answer:
                returned = answer.headers["X-Request-Id"]
                assert answer.status == 401
    assert (returned == sent) is taken
    (refused,) = lines(log, "hook_refused")
    assert refused["request_id"] == returned


async def test_requests_on_one_connection_have_ids_of_their_own(harness: Harness) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        returned = set()
        for _ in range(3):
            async with session.get(f"{harness.url}/healthz") as answer:
                returned.add(answer.headers["X-Request-Id"])
    assert len(returned) == 3


@pytest.mark.parametrize(
    ("body", "gate"),
    [
        ({"actions": [{"value": f"{GATE}.1"}]}, GATE),
        ({"actions": [{"selected_option": {"value": f"withdraw {GATE}.1"}}]}, GATE),
        ({"view": {"private_metadata": f'{{"action_value": "{GATE}.2", "kind": "stop"}}'}}, GATE),
        ({"view": {"private_metadata": f"{GATE}.1 {OTHER}.1"}}, None),
        ({"actions": [{"value": "next-page"}]}, None),
        ({"actions": [{"action_id": "refresh"}]}, None),
        ({"command": "/deploys", "text": GATE}, None),
        ({}, None),
    ],
)
def test_the_gate_of_a_payload_is_read_from_button_menu_and_form(
    body: dict[str, Any], gate: str | None
) -> None:
    found = gate_of(body)
    assert (str(found) if found else None) == gate
