"""The people, groups and channels of the workspace."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.state.lock import WorkspaceLock
from app.sandbox.slack.state.shapes import BOT_USER, Channel, User, UserGroup


class People:
    """Safe from any thread; what it gives is frozen."""

    def __init__(
        self,
        lock: WorkspaceLock,
        *,
        users: Iterable[User] = (),
        groups: Iterable[UserGroup] = (),
        channels: Iterable[Channel] = (),
    ) -> None:
        self._lock = lock
        app = User(id=BOT_USER, name="switchgate", real_name="Switchgate", is_bot=True)
        self._users = {user.id: user for user in (app, *users)}
        self._groups = {group.id: group for group in groups}
        self._channels = {channel.id: channel for channel in channels}

    def add(self, *things: User | UserGroup | Channel) -> None:
        """Adds or replaces by id."""
        with self._lock.change():
            for thing in things:
                match thing:
                    case User():
                        self._users[thing.id] = thing
                    case UserGroup():
                        self._groups[thing.id] = thing
                    case Channel():
                        self._channels[thing.id] = thing

    def alter(self, id_: str, **fields: Any) -> None:
        """Changes fields of the user, group or channel with this id: `alter("U01", deleted=True)`."""
        with self._lock.hold():
            for shelf in (self._users, self._groups, self._channels):
                if id_ in shelf:
                    self.add(replace(shelf[id_], **fields))
                    return
        raise NotInWorkspace(id_)

    def rename_channel(self, old: str, new: str, **fields: Any) -> None:
        """The channel has another id from now on, and is not found under the old one. Raises `NotInWorkspace`."""
        with self._lock.change():
            self._channels[new] = replace(self.channel(old), id=new, **fields)
            del self._channels[old]

    def users(self) -> list[User]:
        with self._lock.hold():
            return list(self._users.values())

    def groups(self) -> list[UserGroup]:
        with self._lock.hold():
            return list(self._groups.values())

    def channels(self) -> list[Channel]:
        with self._lock.hold():
            return list(self._channels.values())

    def find_user(self, id_: str) -> User | None:
        return self._users.get(id_)

    def find_group(self, id_: str) -> UserGroup | None:
        return self._groups.get(id_)

    def find_channel(self, id_: str) -> Channel | None:
        return self._channels.get(id_)

    def user(self, id_: str) -> User:
        """Raises `NotInWorkspace`."""
        found = self._users.get(id_)
        if found is None:
            raise NotInWorkspace(f"no user {id_}")
        return found

    def channel(self, id_: str) -> Channel:
        """Raises `NotInWorkspace`."""
        found = self._channels.get(id_)
        if found is None:
            raise NotInWorkspace(f"no channel {id_}")
        return found

    def direct_channel(self, user: User) -> Channel:
        """The conversation between the app and one person, opened when needed."""
        with self._lock.hold():
            id_ = f"D{user.id[1:]}"
            if id_ not in self._channels:
                self.add(Channel(id=id_, name="directmessage", is_im=True, user=user.id))
            return self._channels[id_]
