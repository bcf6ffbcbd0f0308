"""Doctor: whether Slack's tokens, scopes and channels are right, and whether Slack accepts a card."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from app.cli.doctor.approvers import Approvers
from app.cli.doctor.clocks import Clock, http_reading, judge_slack_clock
from app.cli.doctor.findings import Finding, failure, ok, unknown, warning
from app.cli.doctor.slack_answers import ASK_SECONDS, refused, silence_of
from app.config.environment import Settings
from app.config.loader import Domain
from app.slack.blocks import Block
from app.slack.client import SLACK_CALL_ERRORS, error_code_of, web_client
from app.slack.manifest import BOT_SCOPES

READ_CHANNELS: Final = "channels:read"
UNTOLD: Final = (
    "Slack does not tell whether it exists and whether the app is in it: that takes the scope channels:read"
    " (groups:read for a private channel), which serving does not need"
)
INDISPENSABLE: Final = frozenset({"chat:write", "commands", "users:read", "usergroups:read"})
"""The service cannot do without these of the manifest's scopes."""


async def look_at_slack(
    settings: Settings,
    *,
    channels: Sequence[str],
    groups: Sequence[str],
    card: Sequence[Block] | None,
    clock: Clock,
    domains: Sequence[Domain] = (),
    admins: Sequence[str] = (),
) -> list[Finding]:
    """`card`: the newest gate's, which Slack validates. The approvers of `domains` are checked, too."""
    async with ClientSession() as session:
        client = web_client(
            token=settings.slack_bot_token.get_secret_value(), api_url=settings.slack_api_url, session=session
        )
        found, granted = await _bot_token(client, clock)
        if settings.slack_app_token is not None:
            found.append(await _app_token(client, settings.slack_app_token.get_secret_value()))
        if found[0].is_failure:
            return found
        found += [await _channel(client, channel, granted) for channel in channels]
        approvers = Approvers(client)
        found += await approvers.look(groups=groups, domains=domains, admins=admins)
        return [*found, await _card(client, card)]


async def _bot_token(client: AsyncWebClient, clock: Clock) -> tuple[list[Finding], frozenset[str]]:
    """Also the scopes that Slack says were granted."""
    what, asked = "SLACK_BOT_TOKEN", clock()
    try:
        answer = await asyncio.wait_for(client.auth_test(), ASK_SECONDS)
    except SLACK_CALL_ERRORS as exc:
        remedy = "Copy the bot token from the app's page."
        return [refused(what, "auth.test", exc, remedy=remedy, client=client)], frozenset()
    reading = http_reading(answer.headers.get("Date"), asked=asked, answered=clock())
    known = answer.get("user") and answer.get("team")
    found = [ok(what, f"{answer['user']} of {answer['team']}" if known else "Slack takes it")]
    found.append(judge_slack_clock(reading))
    if answer.get("is_enterprise_install"):
        remedy = "Install the app in one workspace of the Grid, and copy the bot token of that installation."
        found.append(failure("installation", "it is org-wide, which is not supported", remedy))
    told = answer.headers.get("X-OAuth-Scopes")
    granted = frozenset(one.strip() for one in (told or "").split(","))
    return [
        *found,
        _scopes(granted) if told is not None else unknown("scopes", "Slack did not tell them"),
    ], granted


def _scopes(granted: frozenset[str]) -> Finding:
    missing = [scope for scope in BOT_SCOPES if scope not in granted]
    said = f"missing: {', '.join(missing)}"
    remedy = "Add them under OAuth & Permissions, and install the app again."
    if INDISPENSABLE.intersection(missing):
        return failure("scopes", said, remedy)
    return warning("scopes", said, remedy) if missing else ok("scopes", ", ".join(BOT_SCOPES))


async def _app_token(client: AsyncWebClient, token: str) -> Finding:
    what = "SLACK_APP_TOKEN"
    try:
        await asyncio.wait_for(client.apps_connections_open(app_token=token), ASK_SECONDS)
    except SLACK_CALL_ERRORS as exc:
        remedy = "Make an app-level token with the scope connections:write, and turn Socket Mode on."
        return refused(what, "apps.connections.open", exc, remedy=remedy, client=client)
    return ok(what, "Socket Mode can be opened")


async def _channel(client: AsyncWebClient, channel: str, granted: frozenset[str]) -> Finding:
    what = f"channel {channel}"
    try:
        answer = await asyncio.wait_for(client.conversations_info(channel=channel), ASK_SECONDS)
    except SLACK_CALL_ERRORS as exc:
        # To a token that may not read public channels, one may also seem not to be there.
        hidden = {"missing_scope"} if READ_CHANNELS in granted else {"missing_scope", "channel_not_found"}
        if error_code_of(exc) in hidden:
            return unknown(what, UNTOLD)
        remedy = "Correct the id in switchgate.toml; a private channel must invite the app first."
        return refused(what, "conversations.info", exc, remedy=remedy, client=client)
    info: dict[str, Any] = answer.get("channel") or {}
    name = f"#{info.get('name', '')}"
    if info.get("is_archived"):
        return failure(what, f"{name} is archived", "Name another channel in switchgate.toml.")
    if not info.get("is_member"):
        return failure(what, f"the app is not in {name}", "Invite it there: /invite, then the app's name.")
    return ok(what, f"{name}, and the app is in it")


async def _card(client: AsyncWebClient, card: Sequence[Block] | None) -> Finding:
    what = "card"
    if card is None:
        return ok(what, "no gate was ever opened, so there is none to show Slack")
    try:
        # In the body: the SDK's method puts the blocks into the URL, which is too short for a card.
        asked = client.api_call("blocks.validate", data={"blocks": json.dumps(card)})
        await asyncio.wait_for(asked, ASK_SECONDS)
    except SLACK_CALL_ERRORS as exc:
        if error_code_of(exc) != "invalid_blocks":
            return unknown(what, silence_of(exc, client) or f"blocks.validate said {error_code_of(exc)}")
        return failure(what, "Slack would refuse the newest gate's card", "Please report this as a defect.")
    return ok(what, "Slack takes the newest gate's card")
