"""The doctor at Slack: are the tokens good, the scopes there, the channels open, and is a card acceptable?"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.cli.findings import Finding, ok, trouble, unknown
from app.settings import Settings
from app.slack.blocks import Block
from app.slack.web import NO_WORD, UNDONE, UNREACHABLE, UNSURE, problem_of, web_client

SCOPES: Final = ("chat:write", "commands", "users:read", "usergroups:read")
ASK_SECONDS: Final = 10
PASSING: Final = UNDONE | UNSURE
"""Slack's own words for trouble of Slack's own."""


async def look_at_slack(
    settings: Settings, *, channels: Sequence[str], groups: Sequence[str], card: Sequence[Block] | None
) -> list[Finding]:
    """`card`: the newest gate's, to be judged by Slack itself."""
    async with ClientSession() as session:
        client = web_client(
            token=settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url, session=session
        )
        found = await _bot_token(client)
        if settings.slack_app_token is not None:
            found.append(await _app_token(client, settings.slack_app_token.get_secret_value()))
        if found[0].is_trouble:
            return found
        looks = [
            *(_channel(client, channel) for channel in channels),
            *(_group(client, group) for group in groups),
            _card(client, card),
        ]
        return [*found, *[await look for look in looks]]


async def _bot_token(client: AsyncWebClient) -> list[Finding]:
    what = "SLACK_BOT_TOKEN"
    try:
        answer = await asyncio.wait_for(client.auth_test(), ASK_SECONDS)
    except UNREACHABLE as refusal:
        remedy = "Copy the bot token from the app's page."
        return [_refused(what, "auth.test", refusal, remedy=remedy, client=client)]
    known = answer.get("user") and answer.get("team")
    found = [ok(what, f"{answer['user']} of {answer['team']}" if known else "Slack takes it")]
    told = answer.headers.get("X-OAuth-Scopes")
    if told is None:
        return [*found, unknown("scopes", "Slack did not tell them")]
    missing = [scope for scope in SCOPES if scope not in {one.strip() for one in told.split(",")}]
    if missing:
        remedy = "Add them under OAuth & Permissions, and install the app again."
        return [*found, trouble("scopes", f"missing: {', '.join(missing)}", remedy)]
    return [*found, ok("scopes", ", ".join(SCOPES))]


async def _app_token(client: AsyncWebClient, token: str) -> Finding:
    what = "SLACK_APP_TOKEN"
    try:
        await asyncio.wait_for(client.apps_connections_open(app_token=token), ASK_SECONDS)
    except UNREACHABLE as refusal:
        remedy = "Make an app-level token with the scope connections:write, and turn Socket Mode on."
        return _refused(what, "apps.connections.open", refusal, remedy=remedy, client=client)
    return ok(what, "Socket Mode can be opened")


async def _channel(client: AsyncWebClient, channel: str) -> Finding:
    what = f"channel {channel}"
    try:
        answer = await asyncio.wait_for(client.conversations_info(channel=channel), ASK_SECONDS)
    except UNREACHABLE as refusal:
        if problem_of(refusal) == "missing_scope":
            return unknown(what, "not looked at: that takes the scope channels:read, which serving does not")
        remedy = "Mend the id in switchgate.toml; a private channel must invite the app first."
        return _refused(what, "conversations.info", refusal, remedy=remedy, client=client)
    info: dict[str, Any] = answer.get("channel") or {}
    name = f"#{info.get('name', '')}"
    if info.get("is_archived"):
        return trouble(what, f"{name} is archived", "Name another channel in switchgate.toml.")
    if not info.get("is_member"):
        return trouble(what, f"the app is not in {name}", "Invite it there: /invite, then the app's name.")
    return ok(what, f"{name}, and the app is in it")


async def _group(client: AsyncWebClient, group: str) -> Finding:
    what = f"user group {group}"
    try:
        answer = await asyncio.wait_for(client.usergroups_users_list(usergroup=group), ASK_SECONDS)
    except UNREACHABLE as refusal:
        remedy = "Mend the id in switchgate.toml; until then nobody of it may decide."
        return _refused(what, "usergroups.users.list", refusal, remedy=remedy, client=client)
    members = answer.get("users") or []
    if not members:
        return trouble(what, "nobody is in it", "Add people to it, or name other approvers.")
    return ok(what, f"{len(members)} people")


async def _card(client: AsyncWebClient, card: Sequence[Block] | None) -> Finding:
    what = "card"
    if card is None:
        return unknown(what, "no gate was ever opened, so there is none to show Slack")
    try:
        # In the body: the SDK's own method puts the blocks into the URL, which a card outgrows.
        asked = client.api_call("blocks.validate", data={"blocks": json.dumps(card)})
        await asyncio.wait_for(asked, ASK_SECONDS)
    except UNREACHABLE as refusal:
        if problem_of(refusal) != "invalid_blocks":
            return unknown(what, _silence(refusal, client) or f"blocks.validate said {problem_of(refusal)}")
        return trouble(what, "Slack would refuse the newest gate's card", "Please report this as a defect.")
    return ok(what, "Slack takes the newest gate's card")


def _refused(what: str, method: str, refusal: Exception, *, remedy: str, client: AsyncWebClient) -> Finding:
    """`remedy` mends what Slack said; where it said nothing, no token and no id is at fault."""
    silence = _silence(refusal, client)
    if silence is not None:
        return trouble(
            what, silence, "Look at DNS, at the way out from here (egress, proxies) and at SLACK_API_URL."
        )
    said = problem_of(refusal)
    return trouble(
        what, f"{method} said {said}", "That is Slack's own; look again later." if said in PASSING else remedy
    )


def _silence(refusal: Exception, client: AsyncWebClient) -> str | None:
    """That Slack itself said nothing, and which host was asked; None: it did say something."""
    problem = problem_of(refusal)
    parts = urlsplit(client.base_url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    if isinstance(refusal, (ClientError, OSError, TimeoutError)):
        return f"Slack cannot be reached: {host} gives no answer ({problem})"
    if not isinstance(refusal, SlackApiError) or problem.startswith(NO_WORD):
        return f"Slack cannot be reached: {host} answers, but not as Slack does ({problem})"
    return None
