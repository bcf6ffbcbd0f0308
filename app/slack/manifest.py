"""The manifest from which people create their Slack app: the scopes, events and the command that the code uses."""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

EVENTS_PATH: Final = "/slack/events"

BOT_SCOPES: Final[Mapping[str, str]] = {
    "chat:write": "cards, their threads, answers to one person",
    "commands": "/deploys",
    "users:read": "who pressed: a bot, a guest, somebody who has left?",
    "usergroups:read": "who is on call",
    "channels:history": "finds a card again whose posting was not confirmed",
    "groups:history": "the same in private channels",
    "groups:read": "channel_id_changed: a private channel that is shared gets another id",
    "im:write": "/deploys notify me: opens the conversation with a person",
    "im:history": "finds a direct message again whose posting was not confirmed",
}
"""Each with what it is for."""

OPTIONAL_SCOPES: Final[Mapping[str, str]] = {
    "channels:read": "optional: switchgate doctor sees whether public channels exist and the app is in them",
    "users:read.email": "optional: finds who deployed by the e-mail address that a deployment names",
}
EVENTS: Final[Mapping[str, str]] = {
    "app_home_opened": "publishes Home",
    "channel_id_changed": "cards are found under the channel's new id",
}

SOCKET_HEADER: Final = """\
# Create the Slack app from this: https://api.slack.com/apps -> Create New App -> From a manifest.
# Socket Mode needs no public address. For HTTP mode: switchgate slack manifest --url https://<your host>
"""
HTTP_HEADER: Final = """\
# Create the Slack app from this: https://api.slack.com/apps -> Create New App -> From a manifest.
# HTTP mode: Slack sends to this address. Leave SLACK_APP_TOKEN unset, and set SLACK_SIGNING_SECRET.
"""
MANIFEST: Final = """\
display_information:
  name: Switchgate
  description: Holds every traffic switch until a person approves
  background_color: "#2b5fd9"
features:
  app_home:
    home_tab_enabled: true       # what waits for whoever opens it
    messages_tab_enabled: true   # where answers go that Home could not show
    messages_tab_read_only_enabled: true
  bot_user:
    display_name: Switchgate
    always_online: true
  slash_commands:
    - command: /deploys{command_url}
      description: What is waiting for approval; approve, roll back, freeze
      usage_hint: "[domain | approve | rollback | who | rules | freeze | notify | help]"
      should_escape: false
oauth_config:
  scopes:
    bot:
{scopes}
settings:
  interactivity:
    is_enabled: true{request_url}
  event_subscriptions:{request_url}
    bot_events:
{events}
  socket_mode_enabled: {socket_mode}
"""


class NotAnAddress(ValueError):
    """Slack could not send to it; the message says why."""


def manifest_text(url: str | None = None) -> str:
    """As YAML. `url`: Switchgate's public address, for HTTP mode; None: Socket Mode. Raises `NotAnAddress`."""
    address = json.dumps(_events_address(url)) if url is not None else ""
    body = MANIFEST.format(
        command_url=f"\n      url: {address}" if address else "",
        request_url=f"\n    request_url: {address}" if address else "",
        scopes="\n".join([*_entries(BOT_SCOPES, "- "), *_entries(OPTIONAL_SCOPES, "# - ")]),
        events="\n".join(_entries(EVENTS, "- ")),
        socket_mode="false" if address else "true",
    )
    return (HTTP_HEADER if address else SOCKET_HEADER) + body


def _entries(named: Mapping[str, str], mark: str) -> list[str]:
    width = max(map(len, named)) + 2
    return [f"      {mark}{name:{width}}# {purpose}" for name, purpose in named.items()]


def _events_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise NotAnAddress("is malformed") from None
    if parts.scheme != "https" or not parts.hostname or not url.isascii() or not url.isprintable():
        raise NotAnAddress("is no https address, and Slack sends to no other")
    if parts.query or parts.fragment or parts.username is not None:
        raise NotAnAddress("must end with its path, and name no user")
    return url.rstrip("/").removesuffix(EVENTS_PATH) + EVENTS_PATH
