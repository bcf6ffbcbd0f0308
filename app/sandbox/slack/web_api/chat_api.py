"""chat.*: https://docs.slack.dev/reference/methods?family=chat."""

from typing import Any, Final

from app.sandbox.slack.blocks.validate import message_problems
from app.sandbox.slack.errors import SlackError, invalid_blocks
from app.sandbox.slack.state.ids import with_ids
from app.sandbox.slack.state.json_shapes import message_json
from app.sandbox.slack.state.shapes import Channel, Json, Message, Shown
from app.sandbox.slack.state.workspace import Workspace
from app.sandbox.slack.web_api.params import Params, flag, structure, text_of

MAX_POST_CHARS: Final = 40_000
MAX_UPDATE_CHARS: Final = 4_000


class ChatApi:
    """Each method takes a request's arguments and returns the fields beside `"ok": true`."""

    def __init__(self, workspace: Workspace) -> None:
        self._ws = workspace
        self.methods = {
            "chat.postMessage": self.post_message,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "chat.getPermalink": self.permalink,
        }

    def post_message(self, params: Params) -> Json:
        channel = self._writable(text_of(params, "channel"))
        shown = read_shown(params, max_length=MAX_POST_CHARS)
        thread = self._thread(channel, params)
        message = self._ws.messages.post(
            channel.id,
            shown,
            thread_ts=thread,
            broadcast=thread is not None and flag(params, "reply_broadcast"),
            metadata=read_metadata(params),
        )
        return {
            "channel": channel.id,
            "ts": message.ts,
            "message": message_json(message, with_metadata=True),
        }

    def post_ephemeral(self, params: Params) -> Json:
        channel = self._writable(text_of(params, "channel"))
        user = self._ws.people.find_user(text_of(params, "user"))
        if user is None or user.deleted:
            raise SlackError("user_not_in_channel")
        shown = read_shown(params, max_length=MAX_POST_CHARS)
        thread = self._thread(channel, params)
        message = self._ws.messages.post(channel.id, shown, only_for=user.id, thread_ts=thread)
        return {"message_ts": message.ts}

    def update(self, params: Params) -> Json:
        """Text without blocks removes the blocks."""
        message = self._own(params, otherwise="cant_update_message")
        shown = read_shown(params, max_length=MAX_UPDATE_CHARS)
        edited = self._ws.messages.edit(message.channel, message.ts, shown, metadata=read_metadata(params))
        return {
            "channel": edited.channel,
            "ts": edited.ts,
            "text": edited.text,
            "message": message_json(edited, with_metadata=True),
        }

    def delete(self, params: Params) -> Json:
        message = self._own(params, otherwise="cant_delete_message")
        self._ws.messages.delete(message.channel, message.ts)
        return {"channel": message.channel, "ts": message.ts}

    def permalink(self, params: Params) -> Json:
        channel = find_channel(self._ws, text_of(params, "channel"))
        message = self._ws.messages.find(channel.id, text_of(params, "message_ts"))
        if message is None:
            raise SlackError("message_not_found")
        return {"channel": channel.id, "permalink": self._ws.permalink(channel.id, message.ts)}

    def _writable(self, id_: str) -> Channel:
        user = self._ws.people.find_user(id_)
        if user is not None:
            if user.is_bot:
                raise SlackError("cannot_dm_bot")
            return self._ws.people.direct_channel(user)
        channel = find_channel(self._ws, id_)
        if channel.is_archived:
            raise SlackError("is_archived")
        uninvited = "chat:write.public" in self._ws.credentials.scopes and not channel.is_private
        if not channel.is_member and not uninvited:
            raise SlackError("not_in_channel")
        return channel

    def _thread(self, channel: Channel, params: Params) -> str | None:
        ts = text_of(params, "thread_ts")
        if not ts:
            return None
        root = self._ws.messages.find(channel.id, ts)
        if root is None or root.only_for:
            raise SlackError("thread_not_found")
        return root.thread_ts or root.ts

    def _own(self, params: Params, *, otherwise: str) -> Message:
        """The app's message at channel and ts. An ephemeral one cannot be found again."""
        channel = find_channel(self._ws, text_of(params, "channel"))
        message = self._ws.messages.find(channel.id, text_of(params, "ts"))
        if message is None or message.only_for:
            raise SlackError("message_not_found")
        if not message.by_app:
            raise SlackError(otherwise)
        return message


def find_channel(workspace: Workspace, id_: str) -> Channel:
    """Raises `channel_not_found`; a private channel without the app is not found either."""
    channel = workspace.people.find_channel(id_)
    if channel is None or (channel.is_private and not channel.is_member):
        raise SlackError("channel_not_found")
    return channel


def read_shown(params: Params, *, max_length: int = MAX_POST_CHARS) -> Shown:
    """Text and blocks. Raises `no_text`, `msg_too_long`, `invalid_blocks_format` and `invalid_blocks`."""
    text = text_of(params, "text")
    if len(text) > max_length:
        raise SlackError("msg_too_long")
    blocks: Any = structure(params, "blocks", code="invalid_blocks_format")
    if not blocks and not text.strip():
        raise SlackError("no_text")
    if not blocks:
        return Shown(text)
    problems = message_problems(blocks)
    if problems:
        raise invalid_blocks("invalid_blocks", problems)
    return Shown(text, tuple(with_ids(blocks)))


def read_metadata(params: Params) -> Json | None:
    """None: not given; empty: to be removed. https://docs.slack.dev/messaging/message-metadata."""
    metadata: Any = structure(params, "metadata", code="invalid_metadata_format")
    if not metadata:
        return None if metadata is None else {}
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return metadata
