"""Requests without a listener are acknowledged in both modes, and users get an answer."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.sandbox.people import CHANNEL, JUN, OLU
from tests.harness import Harness, text_of
from tests.slack.play import Build, wait_for_reply

WHO = {"user": {"id": OLU.id, "team_id": OLU.team_id}, "team": {"id": OLU.team_id}, "trigger_id": "1.2.a"}
IN_CHANNEL = {"channel": {"id": CHANNEL.id}}
VIEW = {"view": {"id": "V1", "type": "modal", "callback_id": "other", "state": {"values": {}}}}
SAYS = "Switchgate has no such command"

WAITING: list[dict[str, Any]] = [
    {"type": "shortcut", "callback_id": "other", **WHO},
    {"type": "message_action", "callback_id": "other", "message": {"ts": "1.2"}, **IN_CHANNEL, **WHO},
    {"type": "workflow_step_edit", "callback_id": "other", "workflow_step": {}, **WHO},
    {"type": "a_type_of_tomorrow", **WHO},
    {"type": "block_actions", "actions": [], **IN_CHANNEL, **WHO},
    {"type": "view_submission", **WHO},
]
SILENT: list[dict[str, Any]] = [
    {"type": "view_closed", **VIEW, **WHO},
    {"type": "view_closed", **WHO},
    {"type": "dialog_cancellation", "callback_id": "x", "state": "", **IN_CHANNEL, **WHO},
    {"type": "a_type_of_tomorrow"},
    {"something": "else"},
]
EVENTS: list[dict[str, Any]] = [
    {"type": "event_callback", "event": {"type": "function_executed", "function": {"callback_id": "x"}}},
    {"type": "event_callback", "event": {"type": "workflow_step_execute", "callback_id": "x"}},
    {"type": "event_callback", "event": {"type": "message", "subtype": "message_changed"}},
    {"type": "event_callback", "event": {}},
    {"type": "event_callback"},
    {"type": "app_rate_limited", "minute_rate_limited": 1},
]


@pytest.fixture(params=[True, False], ids=["socket", "http"])
async def both(request: pytest.FixtureRequest, build: Build) -> AsyncIterator[Harness]:
    async with build(socket_mode=request.param) as harness:
        yield harness


async def test_every_envelope_is_acknowledged(both: Harness) -> None:
    for payload in (*WAITING, *SILENT):
        ack = await both.slack.deliver_async("interactive", payload)
        assert ack.acked, (payload, ack)
    for payload in EVENTS:
        ack = await both.slack.deliver_async("events_api", payload)
        assert ack.acked, (payload, ack)
    for kind in ("block_suggestion", "dialog_suggestion"):
        ack = await both.slack.deliver_async(
            "interactive", {"type": kind, "action_id": "x", "value": "a", **WHO}
        )
        assert (ack.acked, ack.body) == (True, {"options": []}), kind


async def test_a_person_who_waits_gets_a_sentence(both: Harness) -> None:
    answered = await both.slack.slash_async(OLU.id, CHANNEL.id, "/other", "x")
    assert answered.message is not None
    assert SAYS in text_of(answered.message)
    korean = await both.slack.slash_async(JUN.id, CHANNEL.id, "/other", "x")
    assert korean.message is not None
    assert "없는 명령" in text_of(korean.message)
    await both.slack.deliver_async(
        "interactive", {"type": "message_action", "callback_id": "other", **IN_CHANNEL, **WHO}
    )
    await wait_for_reply(both, OLU, SAYS)
