"""Open modals, three deep at most, and Home tabs."""

from dataclasses import replace
from typing import Final

from app.sandbox.slack.errors import NotInWorkspace, SlackError
from app.sandbox.slack.state.ids import new_id, new_secret, with_ids
from app.sandbox.slack.state.lock import WorkspaceLock
from app.sandbox.slack.state.shapes import Json, View

MAX_STACK_DEPTH: Final = 3


class Views:
    """Safe from any thread; what it gives is frozen. Bodies must be valid."""

    def __init__(self, lock: WorkspaceLock) -> None:
        self._lock = lock
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    def open(self, user: str, body: Json) -> View:
        """A new stack for this person; what was open is gone."""
        id_ = new_id("V")
        view = View(id=id_, user=user, body=_settled(body), hash=_hash(), root=id_)
        with self._lock.change():
            self._stacks[user] = [view]
        return view

    def push(self, user: str, body: Json) -> View:
        """On top of what is open. Raises `push_limit_reached`."""
        with self._lock.change():
            stack = self._stacks.setdefault(user, [])
            if len(stack) >= MAX_STACK_DEPTH:
                raise SlackError("push_limit_reached")
            id_ = new_id("V")
            root = stack[0].root if stack else id_
            previous = stack[-1].id if stack else None
            view = View(id=id_, user=user, body=_settled(body), hash=_hash(), root=root, previous=previous)
            stack.append(view)
        return view

    def publish(self, user: str, body: Json, *, hash_: str | None = None) -> View:
        """The person's Home tab. Raises `hash_conflict`."""
        with self._lock.change():
            old = self._homes.get(user)
            if old is not None and hash_ not in (None, old.hash):
                raise SlackError("hash_conflict")
            id_ = old.id if old else new_id("V")
            self._homes[user] = View(id=id_, user=user, body=_settled(body), hash=_hash(), root=id_)
            return self._homes[user]

    def update(self, view_id: str, body: Json, *, hash_: str | None = None) -> View:
        """Raises `not_found` and `hash_conflict`."""
        with self._lock.change():
            old = self.find(view_id)
            if old is None:
                raise SlackError("not_found")
            if hash_ not in (None, old.hash):
                raise SlackError("hash_conflict")
            return self._put(replace(old, body=_settled(body), hash=_hash(), errors={}))

    def show_errors(self, view_id: str, errors: dict[str, str]) -> View:
        with self._lock.change():
            return self._put(replace(self.get(view_id), errors=dict(errors)))

    def close(self, view_id: str) -> None:
        """The top view; the one below it shows again."""
        with self._lock.change():
            for stack in self._stacks.values():
                stack[:] = [view for view in stack if view.id != view_id]

    def clear(self, user: str) -> None:
        with self._lock.change():
            self._stacks[user] = []

    def find(self, view_id: str) -> View | None:
        with self._lock.hold():
            stacks = [view for stack in self._stacks.values() for view in stack]
            return next((v for v in (*stacks, *self._homes.values()) if v.id == view_id), None)

    def find_external(self, external_id: str) -> View | None:
        with self._lock.hold():
            stacks = [view for stack in self._stacks.values() for view in stack]
            return next((v for v in stacks if v.body.get("external_id") == external_id), None)

    def get(self, view_id: str) -> View:
        """Raises `NotInWorkspace`."""
        view = self.find(view_id)
        if view is None:
            raise NotInWorkspace(f"no open view {view_id}")
        return view

    def top(self, user: str) -> View | None:
        """The modal that is on top for this person."""
        with self._lock.hold():
            stack = self._stacks.get(user)
            return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def _put(self, view: View) -> View:
        if view.user in self._homes and self._homes[view.user].id == view.id:
            self._homes[view.user] = view
        else:
            stack = self._stacks[view.user]
            stack[:] = [view if one.id == view.id else one for one in stack]
        return view


def _settled(body: Json) -> Json:
    return {**body, "blocks": with_ids(body.get("blocks", []))}


def _hash() -> str:
    return f"{new_id('')}.{new_secret(8)}"
