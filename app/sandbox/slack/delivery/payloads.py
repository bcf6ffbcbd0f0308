"""What Slack sends to the app: https://docs.slack.dev/reference/interaction-payloads."""

from typing import Any

from app.sandbox.slack.state.ids import new_id
from app.sandbox.slack.state.inputs import STATE_KEY, chosen
from app.sandbox.slack.state.json_shapes import author, message_json, view_json
from app.sandbox.slack.state.shapes import APP, BOT_USER, Channel, Json, Message, User, View
from app.sandbox.slack.state.workspace import Workspace


class Payloads:
    """Builds them, complete. `base`: where response URLs begin."""

    def __init__(self, workspace: Workspace) -> None:
        self._ws = workspace
        self.base = ""

    def action(self, element: Json, block_id: str, value: str | None) -> Json:
        """One entry of `actions`. `value` overrides what the button carries, or picks an option."""
        kind = element["type"]
        body: Json = {
            "type": kind,
            "action_id": element["action_id"],
            "block_id": block_id,
            "action_ts": self._ws.clock.stamp(),
        }
        if kind == "button":
            given = {name: element[name] for name in ("text", "value", "style", "url") if name in element}
            return body | given | ({} if value is None else {"value": value})
        if kind == "overflow":
            return body | {"selected_option": chosen(element, value or "")}
        key = STATE_KEY[kind]
        return body | {key: chosen(element, value or "") if key == "selected_option" else value}

    def press(self, user: User, channel: Channel, message: Message, action: Json) -> Json:
        """block_actions on a message. An ephemeral one is not sent along."""
        url = self._ws.response_urls.issue(channel=channel.id, user=user.id, ts=message.ts)
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.only_for is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        body = self._interaction("block_actions", user) | {
            "container": container,
            "trigger_id": self._ws.triggers.issue(user.id),
            "channel": {"id": channel.id, "name": channel.name},
            "state": {"values": {}},
            "response_url": f"{self.base}{url}",
            "actions": [action],
        }
        return body if message.only_for else body | {"message": message_json(message)}

    def press_in_view(self, user: User, view: View, action: Json, values: Json) -> Json:
        """block_actions in a modal or a Home tab: no channel and no response URL."""
        return self._interaction("block_actions", user) | {
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self._ws.triggers.issue(user.id),
            "view": view_json(view, values=values),
            "actions": [action],
        }

    def submission(self, user: User, view: View, values: Json) -> Json:
        return self._interaction("view_submission", user) | {
            "trigger_id": self._ws.triggers.issue(user.id),
            "view": view_json(view, values=values),
            "response_urls": [],
        }

    def closed(self, user: User, view: View, *, is_cleared: bool) -> Json:
        return self._interaction("view_closed", user) | {"view": view_json(view), "is_cleared": is_cleared}

    def command(self, user: User, channel: Channel, command: str, text: str, response_url: str) -> Json:
        """A form, so every value is a string. Of its text Slack escapes the control characters, as in a message."""
        return {
            "token": self._ws.credentials.verification_token,
            "team_id": self._ws.team,
            "team_domain": self._ws.domain,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": _escaped(text),
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": f"{self.base}{response_url}",
            "trigger_id": self._ws.triggers.issue(user.id),
        }

    def home_opened(self, user: User, channel: Channel, view: View | None, *, tab: str) -> Json:
        """An Events API envelope around app_home_opened."""
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": channel.id,
            "tab": tab,
        }
        return self._event(event | ({"view": view_json(view)} if view else {}))

    def channel_id_changed(self, old: str, new: str) -> Json:
        """https://docs.slack.dev/reference/events/channel_id_changed."""
        return self._event({"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new})

    def _event(self, event: Json) -> Json:
        """The envelope of the Events API."""
        return {
            "token": self._ws.credentials.verification_token,
            "team_id": self._ws.team,
            "api_app_id": APP,
            "event": event | {"event_ts": self._ws.clock.stamp()},
            "type": "event_callback",
            "event_id": new_id("Ev"),
            "event_time": int(self._ws.clock.seconds()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self._ws.team,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }

    def _interaction(self, kind: str, user: User) -> dict[str, Any]:
        return {
            "type": kind,
            "user": author(user),
            "api_app_id": APP,
            "token": self._ws.credentials.verification_token,
            "team": {"id": self._ws.team, "domain": self._ws.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }


def _escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
