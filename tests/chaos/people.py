"""What people do meanwhile: they approve, reject, take switches back, declare and lift freezes, and press twice."""

import random
import threading
from contextlib import suppress
from typing import Any, Final

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU
from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.state.shapes import Message, User
from tests.chaos.cluster import Cluster

DECIDERS: Final = (MINA, OLU, GRACE)
FREEZE_LENGTH: Final = "for 20m"


def buttons(card: Message) -> set[str]:
    """The action ids on a message."""
    elements = [element for block in card.shown.blocks for element in block.get("elements", [])]
    return {element.get("action_id", "") for element in elements}


class Person:
    """One person in a thread of their own, with their own chance."""

    def __init__(self, cluster: Cluster, user: User, *, seed: str) -> None:
        self._cluster = cluster
        self._user = user
        self._chance = random.Random(seed)  # noqa: S311 - repeatable
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"person:{user.name}", daemon=True)
        self.done: dict[str, int] = {}
        self.failed: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Raises what went wrong in the thread."""
        self._stop.set()
        self._thread.join(120)
        if self.failed is not None:
            raise self.failed

    def _live(self) -> None:
        try:
            while not self._stop.wait(self._chance.uniform(0.02, 0.25)):
                # A card or form may be gone by the time that somebody presses it.
                with suppress(NotInWorkspace):
                    self._act()
        except BaseException as exc:
            self.failed = exc

    def _act(self) -> None:
        cards = self._cluster.cards()
        waiting = [card for card in cards if "approve" in buttons(card)]
        switched = [card for card in cards if "undo" in buttons(card)]
        lot = self._chance.random()
        if switched and lot < 0.06:
            self._submit(self._chance.choice(switched), "undo", {"reason": "orders fail"})
        elif self._user is GRACE and lot < 0.12:
            self._freeze()
        elif waiting and lot < 0.30:
            self._submit(self._chance.choice(waiting), "reject", {"reason": "broken on green"})
        elif waiting:
            card = self._chance.choice(waiting)
            for _ in range(self._chance.choice((1, 1, 2))):
                self._press(card, "approve")
        elif cards:
            self._press(self._chance.choice(cards), "details")

    def _press(self, card: Message, action: str) -> None:
        self._count(action)
        self._cluster.slack.press(self._user.id, card.channel, card.ts, action)

    def _submit(self, card: Message, action: str, values: dict[str, Any]) -> None:
        """Presses, and fills in the form where one opens."""
        self._press(card, action)
        views = self._cluster.slack.views
        self._cluster.slack.wait_until(lambda: views.top(self._user.id), timeout=3)
        form = views.top(self._user.id)
        if form is None:
            return
        if form.body.get("submit"):
            self._cluster.slack.submit(self._user.id, form.id, values)
        with suppress(NotInWorkspace):
            self._cluster.slack.close(self._user.id, form.id, all_of_them=True)

    def _freeze(self) -> None:
        domain = self._chance.choice(self._cluster.aws.domains()).name
        lifts = self._chance.random() < 0.6
        words = f"unfreeze {domain}" if lifts else f"freeze {domain} {FREEZE_LENGTH} chaos"
        self._count("unfreeze" if lifts else "freeze")
        self._cluster.slack.slash(self._user.id, CHANNEL.id, "/deploys", words)

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


def crowd(cluster: Cluster, seed: int) -> list[Person]:
    """Three who may decide, and one who may not and tries."""
    return [Person(cluster, user, seed=f"{seed}:{user.id}") for user in (*DECIDERS, JUN)]
