"""What the app may ask about the workspace: users, groups, conversations, itself."""

import math
from typing import Final

from app.sandbox.slack.blocks.validate import message_problems
from app.sandbox.slack.errors import SlackError, invalid_blocks
from app.sandbox.slack.state.json_shapes import auth_json, channel_json, group_json, message_json, user_json
from app.sandbox.slack.state.shapes import Channel, Json, Message, User
from app.sandbox.slack.state.workspace import Workspace
from app.sandbox.slack.web_api.chat_api import find_channel
from app.sandbox.slack.web_api.params import Params, flag, number, structure, text_of

MAX_PAGE_SIZE: Final = 999


class ReadsApi:
    """Each method takes a request's arguments and returns the fields beside `"ok": true`."""

    def __init__(self, workspace: Workspace) -> None:
        self._ws = workspace
        self.methods = {
            "auth.test": self.auth_test,
            "blocks.validate": self.validate,
            "users.info": self.user,
            "users.lookupByEmail": self.user_by_email,
            "usergroups.list": self.groups,
            "usergroups.users.list": self.members,
            "conversations.info": self.channel,
            "conversations.open": self.open_conversation,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
        }

    def auth_test(self, _params: Params) -> Json:
        ours = self._ws.credentials
        return auth_json(self._ws.url, self._ws.name, enterprise=ours.enterprise, org_wide=ours.org_wide)

    def validate(self, params: Params) -> Json:
        """https://docs.slack.dev/reference/methods/blocks.validate, as far as blocks of a message go."""
        problems = message_problems(structure(params, "blocks", code="invalid_blocks"))
        if problems:
            raise invalid_blocks("invalid_blocks", problems)
        return {}

    def user(self, params: Params) -> Json:
        user = self._ws.people.find_user(text_of(params, "user"))
        if user is None and self._ws.credentials.enterprise is not None:
            wanted = text_of(params, "user")
            user = next((one for one in self._ws.people.users() if one.enterprise_user == wanted), None)
        if user is None:
            raise SlackError("user_not_found")
        locale = flag(params, "include_locale")
        return {"user": self._user(user, include_locale=locale)}

    def user_by_email(self, params: Params) -> Json:
        """An empty address finds nobody."""
        address = text_of(params, "email").casefold()
        found = [user for user in self._ws.people.users() if address and user.email.casefold() == address]
        if not found:
            raise SlackError("users_not_found")
        return {"user": self._user(found[0], include_locale=False)}

    def _user(self, user: User, *, include_locale: bool) -> Json:
        enterprise = self._ws.credentials.enterprise
        return user_json(user, now=self._ws.clock.now(), include_locale=include_locale, enterprise=enterprise)

    def groups(self, params: Params) -> Json:
        with_users = flag(params, "include_users")
        return {"usergroups": [group_json(g, include_users=with_users) for g in self._ws.people.groups()]}

    def members(self, params: Params) -> Json:
        """Without those who have left."""
        if self._ws.credentials.org_wide and not params.get("team_id"):
            raise SlackError("missing_argument")
        group = self._ws.people.find_group(text_of(params, "usergroup"))
        if group is None:
            raise SlackError("no_such_subteam")
        people = [self._ws.people.find_user(id_) for id_ in group.members]
        return {"users": [user.id for user in people if user is not None and not user.deleted]}

    def channel(self, params: Params) -> Json:
        channel = find_channel(self._ws, text_of(params, "channel"))
        self._ws.credentials.admit_channel(channel, to="read")
        return {"channel": channel_json(channel)}

    def open_conversation(self, params: Params) -> Json:
        """With one person only."""
        user = self._ws.people.find_user(text_of(params, "users"))
        if user is None:
            raise SlackError("user_not_found")
        if user.is_bot:
            raise SlackError("cannot_dm_bot")
        return {"channel": {"id": self._ws.people.direct_channel(user).id}}

    def history(self, params: Params) -> Json:
        """Newest first, without ephemerals, and without replies that were not broadcast."""
        channel = self._readable(params)
        said = self._ws.messages.in_channel(channel.id)
        shown = [message for message in said if message.broadcast or not message.is_reply]
        return self._page(shown[::-1], params)

    def replies(self, params: Params) -> Json:
        """The root, then its replies, oldest first."""
        channel = self._readable(params)
        ts = text_of(params, "ts")
        root = self._ws.messages.find(channel.id, ts)
        if root is None and (left := self._ws.messages.replies(channel.id, ts)):
            return self._page(left, params)  # a deleted root leaves its replies behind
        if root is None or root.only_for:
            raise SlackError("thread_not_found")
        return self._page([root, *self._ws.messages.replies(channel.id, root.ts)], params)

    def _readable(self, params: Params) -> Channel:
        channel = find_channel(self._ws, text_of(params, "channel"))
        if not channel.is_member and not channel.is_im:
            raise SlackError("not_in_channel")
        self._ws.credentials.admit_channel(channel, to="history")
        return channel

    def _page(self, messages: list[Message], params: Params) -> Json:
        oldest = number(params, "oldest", 0.0, code="invalid_ts_oldest")
        latest = number(params, "latest", math.inf, code="invalid_ts_latest")
        inclusive = flag(params, "inclusive")
        kept = [m for m in messages if _is_within(float(m.ts), oldest, latest, inclusive=inclusive)]
        start = int(number(params, "cursor", 0, code="invalid_cursor"))
        end = start + max(1, min(MAX_PAGE_SIZE, int(number(params, "limit", 100, code="invalid_limit"))))
        more = end < len(kept)
        return {
            "messages": self._written(kept[start:end], with_metadata=flag(params, "include_all_metadata")),
            "has_more": more,
            "response_metadata": {"next_cursor": str(end) if more else ""},
        }

    def _written(self, messages: list[Message], *, with_metadata: bool) -> list[Json]:
        threads = self._ws.messages.threads(messages[0].channel) if messages else {}
        return [
            message_json(message, with_metadata=with_metadata) | _thread(message, threads.get(message.ts, []))
            for message in messages
        ]


def _thread(root: Message, replies: list[Message]) -> Json:
    if not replies:
        return {}
    return {
        "thread_ts": root.ts,
        "reply_count": len(replies),
        "reply_users": sorted({reply.user for reply in replies}),
        "latest_reply": replies[-1].ts,
    }


def _is_within(ts: float, oldest: float, latest: float, *, inclusive: bool) -> bool:
    """Between the two, which are themselves left out unless `inclusive`."""
    return oldest <= ts <= latest if inclusive else oldest < ts < latest
