"""`POST /slack/events`: requests that are not Slack's, or incomplete, are refused without a stack trace."""

import json
from collections.abc import AsyncIterator
from time import time
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from app.sandbox.people import OLU
from tests.harness import Harness
from tests.slack.play import Build, block_actions, send, votes

STAMP = "X-Slack-Request-Timestamp"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def endpoint(build: Build) -> AsyncIterator[Harness]:
    async with build(socket_mode=False) as harness:
        yield harness


async def press(harness: Harness) -> tuple[str, dict[str, object]]:
    """A deployment, and a press on it as Slack would send it."""
    deployment, _ = await harness.open_gate("order")
    return deployment, block_actions({"action_id": "approve", "value": f"{harness.gate(deployment)['id']}.1"})


async def test_a_timestamp_that_is_no_number_is_refused(endpoint: Harness) -> None:
    deployment, payload = await press(endpoint)
    for stamp in ("abc", "1e9", "-5", "12.5", " ", "\u00b2", "9" * 5000, "0x10"):
        status, body = await send(endpoint, payload, headers={STAMP: stamp})
        assert status == 401, stamp
        assert "Traceback" not in body
    assert votes(endpoint, deployment) == []


async def test_a_request_older_or_newer_than_five_minutes_is_refused(endpoint: Harness) -> None:
    deployment, payload = await press(endpoint)
    for seconds in (-301, 302):
        status, _ = await send(endpoint, payload, headers={STAMP: str(int(time()) + seconds)})
        assert status == 401
    assert votes(endpoint, deployment) == []


async def test_a_request_that_slack_did_not_sign_is_refused(endpoint: Harness) -> None:
    deployment, payload = await press(endpoint)
    assert (await send(endpoint, payload, secret="another"))[0] == 401
    assert (await send(endpoint, payload, headers={"X-Slack-Signature": ""}))[0] == 401
    assert (await send(endpoint, payload, headers={"X-Slack-Signature": "v0=ü"}))[0] == 401
    async with ClientSession() as session, session.post(f"{endpoint.url}/slack/events", data=b"") as answer:
        assert answer.status == 401
    assert votes(endpoint, deployment) == []


async def test_a_tampered_body_is_refused(endpoint: Harness) -> None:
    deployment, _ = await endpoint.open_gate("order")
    await endpoint.approve("U04JUN", deployment)
    sent = endpoint.slack.last_sent
    assert sent is not None
    forged = sent.body.replace("U04JUN", OLU.id)
    assert forged != sent.body
    assert (await endpoint.slack.replay_async(body=forged)).status == 401
    assert votes(endpoint, deployment) == []


async def test_a_body_that_cannot_be_read_is_refused(endpoint: Harness) -> None:
    for body, headers in (
        (b"\xff\xfe\x00", {}),
        (b"payload=nonsense", {}),
        (b"payload=[1,2]", {}),
        (b"payload=", {}),
        (b"{", JSON),
        (b"[1]", JSON),
        (b'"text"', JSON),
        (b"null", JSON),
        (b"", JSON),
    ):
        status, said = await send(endpoint, body, headers=headers)
        assert 400 <= status < 500, (body, status)
        assert "Traceback" not in said


async def test_a_body_larger_than_anything_of_slacks_is_refused(endpoint: Harness) -> None:
    assert (await send(endpoint, b"payload=" + b"x" * (5 * 2**20)))[0] == 413


async def test_what_slack_checks_is_answered(endpoint: Harness) -> None:
    challenge = json.dumps({"type": "url_verification", "challenge": "abc"})
    status, said = await send(endpoint, challenge, headers=JSON)
    assert (status, json.loads(said)) == (200, {"challenge": "abc"})
    assert (await send(endpoint, urlencode({"ssl_check": "1"}), headers={"X-Slack-Signature": ""}))[0] == 200


async def test_an_event_that_nobody_asked_for_is_acked(endpoint: Harness) -> None:
    for kind in ("message", "reaction_added", "app_uninstalled"):
        event = {"type": "event_callback", "team_id": OLU.team_id, "event": {"type": kind, "user": OLU.id}}
        status, said = await send(endpoint, json.dumps(event), headers=JSON)
        assert (status, said) == (200, ""), kind


NESTED = b"payload=" + b"%5B" * 100_000


async def test_nothing_is_parsed_of_what_slack_did_not_sign(endpoint: Harness) -> None:
    deployment, _ = await press(endpoint)
    for body, headers in ((NESTED, {}), (b"[" * 500_000, JSON), (b"payload=" + b"x" * 900_000, {})):
        assert (await send(endpoint, body, secret="another", headers=headers))[0] == 401
    # Signed it is parsed, refused, and no fault of ours.
    assert (await send(endpoint, NESTED))[0] == 400
    assert (await send(endpoint, b"[" * 500_000, headers=JSON))[0] == 400
    assert votes(endpoint, deployment) == []


async def test_the_ssl_check_needs_no_signature_and_is_small(endpoint: Harness) -> None:
    unsigned = {"X-Slack-Signature": ""}
    padding = "x" * 2000
    assert (await send(endpoint, urlencode({"ssl_check": "1", "token": "t"}), headers=unsigned))[0] == 200
    assert (await send(endpoint, urlencode({"ssl_check": "1", "token": padding}), headers=unsigned))[0] == 401
    assert (await send(endpoint, urlencode({"ssl_check": "0"}), headers=unsigned))[0] == 401
