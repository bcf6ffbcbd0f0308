"""Helpers for the tests of Slack: people who may not decide, harnesses of other kinds, hand-made requests."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from io import BytesIO
from time import time
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import psycopg
from aiohttp import ClientSession

from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from app.sandbox.people import CHANNEL, OLU, config_text
from app.sandbox.slack.delivery.answers import PressResult, SlashResult
from app.sandbox.slack.state.credentials import SIGNING_SECRET
from app.sandbox.slack.state.shapes import Message, User, View
from tests.harness import Harness, text_of

Json = dict[str, Any]

GUEST: Final = User(id="U05GUEST", name="guest", real_name="Guest", is_restricted=True)
DEACTIVATED: Final = User(id="U06GONE", name="gone", real_name="Gone Long", deleted=True)
ROBOT: Final = User(id="U07ROBOT", name="robot", real_name="Robot", is_bot=True)
STRANGER: Final = User(id="U08STRANGER", name="stranger", real_name="Stranger", is_stranger=True)
FAR: Final = User(id="U09FAR", name="far", real_name="Far Away", team_id="T9OTHER")
OUTSIDERS: Final = (GUEST, DEACTIVATED, ROBOT, STRANGER, FAR)

TWO_APPROVALS: Final = config_text(order="approvals = 2\n")


class Build(Protocol):
    """A harness of one's own: `async with build(socket_mode=False) as harness`. Takes what `running_harness` takes."""

    def __call__(self, **how: Any) -> AbstractAsyncContextManager[Harness]: ...


def naming(*users: User, **more: str) -> str:
    """The cast's `switchgate.toml`, with these people among the approvers."""
    names = "".join(f', "{user.id}"' for user in users)
    return config_text(EIGHT_DOMAINS, **more).replace(
        'approvers = ["S0ONCALL"', f'approvers = ["S0ONCALL"{names}'
    )


def buttons_of(message: Message) -> dict[str, Json]:
    """The buttons that a message shows, by action id."""
    elements = [element for block in message.blocks for element in block.get("elements", [])]
    return {element["action_id"]: element for element in elements if element.get("type") == "button"}


def whispers(harness: Harness, user: User) -> list[str]:
    """Each thing that was said to this person alone, oldest first."""
    return [text_of(message) for message in harness.slack.messages.ephemerals(user.id)]


async def wait_for_replies(harness: Harness, user: User, times: int) -> list[str]:
    """All ephemeral replies to this person, once there are so many."""
    await harness.until(lambda: len(whispers(harness, user)) == times)
    return whispers(harness, user)


async def wait_for_reply(harness: Harness, user: User, *words: str) -> str:
    """Waits for an ephemeral reply with these words; returns the text of all replies to this person."""
    await harness.until(lambda: all(word in harness.ephemerals(user.id) for word in words))
    return harness.ephemerals(user.id)


async def deploys(harness: Harness, user: User = OLU, words: str = "") -> Message:
    """What `/deploys …` answers."""
    said: SlashResult = await harness.slack.slash_async(user.id, CHANNEL.id, "/deploys", words)
    assert said.ack.acked, said
    assert said.problems == ()
    assert said.message is not None
    return said.message


async def press_in(harness: Harness, message: Message, user: User, action: str, **how: Any) -> PressResult:
    """A press on any message, also an ephemeral one."""
    return await harness.slack.press_async(user.id, message.channel, message.ts, action, **how)


def block_actions(action: Mapping[str, Any], **more: Any) -> Json:
    """The least that Slack sends for a press."""
    return {
        "type": "block_actions",
        "user": {"id": OLU.id, "name": OLU.name, "team_id": OLU.team_id},
        "team": {"id": OLU.team_id},
        "channel": {"id": CHANNEL.id},
        "container": {"type": "message", "channel_id": CHANNEL.id},
        "actions": [{"type": "button", "block_id": "b", "action_ts": "1.0", **action}],
        **more,
    }


async def send(
    harness: Harness,
    payload: Mapping[str, Any] | str | bytes,
    *,
    headers: Mapping[str, str] | None = None,
    secret: str = SIGNING_SECRET,
    timestamp: str | None = None,
) -> tuple[int, str]:
    """Posts a signed request to /slack/events, of a shape that no honest Slack would send; status and body."""
    body = payload if isinstance(payload, str | bytes) else urlencode({"payload": json.dumps(payload)})
    raw = body.encode() if isinstance(body, str) else body
    timestamp = timestamp or str(int(time()))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    signed = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest}",
        **(headers or {}),
    }
    async with (
        ClientSession() as session,
        session.post(f"{harness.url}/slack/events", data=BytesIO(raw), headers=signed) as answer,
    ):
        return answer.status, await answer.text()


async def readiness(harness: Harness) -> tuple[int, Json]:
    """`/readyz`: status and what it says."""
    async with ClientSession() as session, session.get(f"{harness.url}/readyz") as answer:
        return answer.status, await answer.json()


def votes(harness: Harness, deployment: str) -> list[str]:
    """Who has voted, as the record has it."""
    rows = harness.rows(
        "SELECT v.voter FROM votes v JOIN gates g ON g.id = v.gate_id JOIN switches s ON s.id = g.switch_id"
        " WHERE s.deployment_id = %s ORDER BY v.voted_at",
        deployment,
    )
    return [row["voter"] for row in rows]


def decisions(harness: Harness, deployment: str) -> int:
    """How often the audit trail says that the gate was decided."""
    return harness.audit(deployment).count("gate_decided")


BEHIND = """
WITH RECURSIVE behind AS (
    SELECT pid FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))
    UNION SELECT a.pid FROM pg_stat_activity a JOIN behind b ON b.pid = ANY(pg_blocking_pids(a.pid))
)
SELECT 1 FROM behind JOIN pg_stat_activity USING (pid) WHERE query LIKE %s
"""
LOOKED_AT = """
SELECT 1 FROM switches
WHERE deployment_id = %s AND claimed_by IS NULL AND hook_started_at IS NOT NULL AND traffic IS NOT NULL
"""


@asynccontextmanager
async def gate_held(harness: Harness, deployment: str) -> AsyncIterator[psycopg.Connection]:
    """Somebody else's transaction holds the gate's row until the block ends, or until it is rolled back.

    The first look at the switch is over then: it locks the gate just as a press does, and later ones see no news.
    """
    await harness.until(lambda: harness.rows(LOOKED_AT, deployment))
    gate = harness.gate(deployment)["id"]
    with psycopg.connect(harness.database_url) as holder:
        # In a thread: a task of this loop that holds the row could not release it otherwise.
        await asyncio.to_thread(holder.execute, "SELECT 1 FROM gates WHERE id = %s FOR UPDATE", [gate])
        yield holder


def press_waits(harness: Harness, holder: psycopg.Connection) -> bool:
    """Whether a press waits for the gate's row that `holder` holds."""
    return bool(
        harness.rows(BEHIND, holder.info.backend_pid, "SELECT gates.id%WHERE gates.id =%FOR NO KEY UPDATE")
    )


async def form_of(harness: Harness, user: User, deployment: str, action: str) -> View:
    """The form that a press on the deployment's card opens."""
    await harness.press(user.id, deployment, action)
    await harness.until(lambda: harness.slack.views.top(user.id) is not None)
    form = harness.slack.views.top(user.id)
    assert form is not None
    return form


async def opened(harness: Harness, domain: str, **how: Any) -> str:
    """Deploys, and gives the deployment once its gate is in the record, card or no card."""
    deployment = await harness.deploy(domain, **how)
    await harness.until(lambda: "gate_opened" in harness.audit(deployment))
    return deployment
