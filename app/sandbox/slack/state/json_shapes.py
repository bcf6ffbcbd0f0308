"""Users, messages, channels and views as Slack writes them: https://docs.slack.dev/reference/objects."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.sandbox.slack.state.shapes import (
    APP,
    BOT,
    BOT_USER,
    TEAM,
    Channel,
    Json,
    Message,
    User,
    UserGroup,
    View,
)


def message_json(message: Message, *, with_metadata: bool = False) -> Json:
    body: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": TEAM,
    }
    if message.broadcast:
        body["subtype"] = "thread_broadcast"
    if message.by_app:
        body |= {"bot_id": BOT, "app_id": APP}
    if message.blocks:
        body["blocks"] = list(message.blocks)
    if message.thread_ts:
        body["thread_ts"] = message.thread_ts
    if message.edited_at:
        body["edited"] = {"user": message.user, "ts": message.edited_at}
    if with_metadata and message.metadata:
        body["metadata"] = message.metadata
    return body


def user_json(user: User, *, now: datetime, include_locale: bool, enterprise: str | None = None) -> Json:
    body: Json = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_offset": _offset(user.tz, now),
        "profile": {"real_name": user.real_name, "display_name": user.name, "team": user.team_id},
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_stranger": user.is_stranger,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "updated": 0,
    }
    if enterprise is not None:
        ours = user.enterprise_user or user.id
        body["enterprise_user"] = {"id": ours, "enterprise_id": enterprise, "teams": [user.team_id]}
    return body | ({"locale": user.locale} if include_locale else {})


def group_json(group: UserGroup, *, include_users: bool) -> Json:
    body: Json = {
        "id": group.id,
        "team_id": TEAM,
        "is_usergroup": True,
        "name": group.name or group.handle,
        "handle": group.handle,
        "is_external": False,
        "date_delete": 0,
        "user_count": len(group.members),
    }
    return body | ({"users": list(group.members)} if include_users else {})


def channel_json(channel: Channel) -> Json:
    if channel.is_im:
        return {"id": channel.id, "is_im": True, "user": channel.user, "is_archived": False}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": channel.is_member,
        "context_team_id": TEAM,
    }


def view_json(view: View, *, values: Json | None = None) -> Json:
    """`values`: what is filled in, block_id -> action_id -> state."""
    body: Json = {
        "id": view.id,
        "team_id": TEAM,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "title": None,
        "close": None,
        "submit": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **view.body,
        "state": {"values": values or {}},
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous,
        "app_id": APP,
        "app_installed_team_id": TEAM,
        "bot_id": BOT,
    }
    return body


def author(user: User) -> Json:
    """`user` of an interaction's payload."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def auth_json(url: str, team: str, *, enterprise: str | None = None, org_wide: bool = False) -> Json:
    grid: Json = {"enterprise_id": enterprise} if enterprise is not None else {}
    return grid | {
        "url": url,
        "team": team,
        "user": "switchgate",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": org_wide,
    }


def zone(tz: str) -> ZoneInfo:
    """The time zone; UTC where the machine does not know it."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _offset(tz: str, now: datetime) -> int:
    offset = now.astimezone(zone(tz)).utcoffset()
    return int(offset.total_seconds()) if offset else 0
