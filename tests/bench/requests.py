"""Requests made beforehand: signed hooks, Slack's signed presses and commands, and the baseline's own."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from app.sandbox.fakes import HOOK_SECRET, KID
from app.sandbox.people import CHANNEL, MINA
from app.sandbox.slack.state.credentials import SIGNING_SECRET
from app.sandbox.slack.state.shapes import APP, TEAM
from app.web.hooks.signature import sign
from tests.bench.load import http_request

BASELINE_BODY = (
    b'{"DeploymentId": "d-0123456789", '
    b'"LifecycleEventHookExecutionId": "an-execution-id-of-forty-characters"}'
)


def baseline_request() -> bytes:
    return http_request("/baseline", BASELINE_BODY, {"Content-Type": "application/json"})


def hook_request(event: Mapping[str, str]) -> bytes:
    """As the Lambda sends it, signed now."""
    path, body = "/hooks/codedeploy", json.dumps(event).encode()
    signed = sign(
        kid=KID, secret=HOOK_SECRET, timestamp=int(time.time()), method="POST", path=path, body=body
    )
    return http_request(path, body, {"Content-Type": "application/json", **signed})


def approve_request(gate: str, prompt_version: int, ts: str) -> bytes:
    """Mina presses Approve on the gate's card. The message comes along, as Slack sends it."""
    value = f"{gate}.{prompt_version}"
    action = {
        "type": "button",
        "action_id": "approve",
        "block_id": "decide",
        "value": value,
        "style": "primary",
        "text": {"type": "plain_text", "text": "Approve", "emoji": True},
        "action_ts": "1764000000.000001",
    }
    fields = [
        {"type": "mrkdwn", "text": f"*Field {n}*\nwhat stands on a card of some size, {n}"} for n in range(8)
    ]
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Switch order to green?"}},
        {"type": "section", "fields": fields},
        {"type": "actions", "block_id": "decide", "elements": [action, {**action, "action_id": "reject"}]},
    ]
    payload: dict[str, object] = {
        "type": "block_actions",
        "user": {"id": MINA.id, "username": MINA.name, "name": MINA.name, "team_id": TEAM},
        "api_app_id": APP,
        "token": "sandbox-verification-token",
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": CHANNEL.id,
            "is_ephemeral": False,
        },
        "trigger_id": "1.2.3",
        "team": {"id": TEAM, "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": CHANNEL.id, "name": CHANNEL.name},
        "message": {"type": "message", "text": "Switch order?", "ts": ts, "blocks": blocks},
        "state": {"values": {}},
        "actions": [action],
    }
    return _slack_request({"payload": json.dumps(payload)})


def undo_request(gate: str, prompt_version: int) -> bytes:
    """Mina has said why, and submits the form of Undo."""
    value = {"type": "plain_text_input", "value": "Orders fail on green."}
    payload: dict[str, object] = {
        "type": "view_submission",
        "user": {"id": MINA.id, "username": MINA.name, "name": MINA.name, "team_id": TEAM},
        "api_app_id": APP,
        "token": "sandbox-verification-token",
        "trigger_id": "1.2.3",
        "team": {"id": TEAM, "domain": "sandbox"},
        "enterprise": None,
        "is_enterprise_install": False,
        "view": {
            "id": "V0BENCH",
            "type": "modal",
            "callback_id": "undo_reason",
            "private_metadata": f"{gate}.{prompt_version}/stop",
            "state": {"values": {"reason": {"reason": value}}},
        },
    }
    return _slack_request({"payload": json.dumps(payload)})


def deploys_request(*, response_url: str) -> bytes:
    """Mina says `/deploys`."""
    return _slack_request(
        {
            "token": "sandbox-verification-token",
            "team_id": TEAM,
            "channel_id": CHANNEL.id,
            "channel_name": CHANNEL.name,
            "user_id": MINA.id,
            "user_name": MINA.name,
            "command": "/deploys",
            "text": "",
            "api_app_id": APP,
            "response_url": response_url,
            "trigger_id": "1.2.3",
        }
    )


def _slack_request(form: Mapping[str, str]) -> bytes:
    body, moment = urlencode(form), str(int(time.time()))
    mac = hmac.new(SIGNING_SECRET.encode(), f"v0:{moment}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={mac}",
    }
    return http_request("/slack/events", body.encode(), headers)
