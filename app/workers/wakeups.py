"""Wakes workers after a commit, so that they need not wait for their next poll.

A wakeup only saves time: it is not stored, reaches this process alone, and polling finds the same work.
"""

from collections.abc import Callable, Iterable
from typing import Literal

Topic = Literal[
    "aws_recovered",
    "card_outdated",
    "card_place_learned",
    "card_published",
    "check_reported",
    "config_reloaded",
    "deadline_reached",
    "deployer_resolved",
    "direct_message_requested",
    "evidence_requested",
    "freeze_changed",
    "gate_decided",
    "gate_opened",
    "home_requested",
    "intervention_executed",
    "intervention_requested",
    "memberships_outdated",
    "poll_requested",
    "probes_requested",
    "report_sent",
    "rule_status_changed",
    "subscription_changed",
    "switch_changed",
    "votes_changed",
]
"""What happened. `votes_changed`: a vote was saved or retracted, and the gate still waits. The registry names who is
woken by what."""


class Wakeups:
    """One per process, used in its event loop only."""

    def __init__(self) -> None:
        self._subscribers: dict[Topic, list[Callable[[], None]]] = {}

    def subscribe(self, topics: Iterable[Topic], wake: Callable[[], None]) -> None:
        """Has `wake` called at each notification of these topics."""
        for topic in topics:
            self._subscribers.setdefault(topic, []).append(wake)

    def notify(self, topic: Topic) -> None:
        """Wakes the subscribers of the topic."""
        for wake in self._subscribers.get(topic, ()):
            wake()
