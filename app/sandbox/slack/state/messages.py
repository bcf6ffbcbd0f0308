"""The messages: posted, edited, ephemeral and deleted."""

from dataclasses import replace

from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.state.clock import Clock
from app.sandbox.slack.state.lock import WorkspaceLock
from app.sandbox.slack.state.shapes import BOT_USER, Json, Message, Shown


class Messages:
    """Safe from any thread; what it gives is frozen. By channel and ts, oldest first."""

    def __init__(self, lock: WorkspaceLock, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._messages: dict[tuple[str, str], Message] = {}

    def post(
        self,
        channel: str,
        shown: Shown,
        *,
        user: str = BOT_USER,
        thread_ts: str | None = None,
        broadcast: bool = False,
        metadata: Json | None = None,
        only_for: str | None = None,
    ) -> Message:
        message = Message(
            channel=channel,
            ts=self._clock.stamp(),
            user=user,
            by_app=user == BOT_USER,
            shown=shown,
            thread_ts=thread_ts,
            broadcast=broadcast,
            metadata=metadata,
            only_for=only_for,
        )
        self._keep(message)
        return message

    def edit(
        self, channel: str, ts: str, shown: Shown, *, metadata: Json | None = None, note_edit: bool = True
    ) -> Message:
        """`metadata`: None leaves it as it is. `note_edit`: whether clients may say "(edited)"."""
        with self._lock.hold():
            old = self.get(channel, ts)
            message = replace(
                old,
                shown=shown,
                earlier=(*old.earlier, old.shown),
                metadata=old.metadata if metadata is None else (metadata or None),
                edited_at=self._clock.stamp() if note_edit and not shown.blocks else None,
            )
            self._keep(message)
            return message

    def rename_channel(self, old: str, new: str) -> None:
        """Moves all messages from `old` to `new`; they keep their ts."""
        with self._lock.change():
            for message in [one for one in self._messages.values() if one.channel == old]:
                del self._messages[old, message.ts]
                self._messages[new, message.ts] = replace(message, channel=new)

    def delete(self, channel: str, ts: str) -> None:
        with self._lock.hold():
            self._keep(replace(self.get(channel, ts), deleted=True))

    def find(self, channel: str, ts: str) -> Message | None:
        """An existing message; ephemeral ones included."""
        message = self._messages.get((channel, ts))
        return None if message is None or message.deleted else message

    def get(self, channel: str, ts: str, *, even_deleted: bool = False) -> Message:
        """Raises `NotInWorkspace`."""
        message = self._messages.get((channel, ts))
        if message is None or (message.deleted and not even_deleted):
            raise NotInWorkspace(f"no message {ts} in {channel}")
        return message

    def in_channel(self, channel: str | None = None, *, viewer: str | None = None) -> list[Message]:
        """The public messages of a channel (None: of all), and the ephemerals of `viewer`."""
        with self._lock.hold():
            return [
                message
                for message in self._messages.values()
                if not message.deleted
                and channel in (None, message.channel)
                and (message.only_for is None or message.only_for == viewer)
            ]

    def ephemerals(self, user: str, *, channel: str | None = None) -> list[Message]:
        """The ephemeral messages that one person sees."""
        return [m for m in self.in_channel(channel, viewer=user) if m.only_for == user]

    def replies(self, channel: str, ts: str) -> list[Message]:
        return [m for m in self.in_channel(channel) if m.thread_ts == ts and m.is_reply]

    def threads(self, channel: str) -> dict[str, list[Message]]:
        """The replies of every thread, by the root's ts."""
        threads: dict[str, list[Message]] = {}
        for message in self.in_channel(channel):
            if message.thread_ts is not None and message.is_reply:
                threads.setdefault(message.thread_ts, []).append(message)
        return threads

    def _keep(self, message: Message) -> None:
        with self._lock.change():
            self._messages[message.channel, message.ts] = message
