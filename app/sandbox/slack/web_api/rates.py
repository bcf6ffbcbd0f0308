"""Slack's rate limits, off unless turned on: https://docs.slack.dev/apis/web-api/rate-limits."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.sandbox.slack.errors import ratelimited
from app.sandbox.slack.state.clock import Clock


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, refilled at `per_second`; counted for each channel where it says so."""

    per_second: float
    burst: int
    per_channel: bool = False


TIER_1: Final = Rate(1 / 60, 5)
TIER_2: Final = Rate(20 / 60, 10)
TIER_3: Final = Rate(50 / 60, 20)
TIER_4: Final = Rate(100 / 60, 40)
PUBLISHED: Final[Mapping[str, Rate]] = {
    "chat.postMessage": Rate(1.0, 5, per_channel=True),
    "chat.postEphemeral": TIER_4,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "views.open": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "users.info": TIER_4,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "conversations.info": TIER_3,
    "conversations.open": TIER_3,
    "conversations.history": TIER_3,
    "conversations.replies": TIER_3,
    "apps.connections.open": TIER_1,
}


class Rates:
    """Token buckets by the workspace's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rates: Mapping[str, Rate] = {}
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def turn_on(self, rates: Mapping[str, Rate] = PUBLISHED) -> None:
        with self._lock:
            self._rates = rates
            self._left.clear()

    def turn_off(self) -> None:
        self.turn_on({})

    def take(self, method: str, channel: str) -> None:
        """Counts one request. Raises `ratelimited` with the seconds to wait."""
        rate = self._rates.get(method)
        if rate is None:
            return
        key = (method, channel if rate.per_channel else "")
        now = self._clock.seconds()
        with self._lock:
            left, at = self._left.get(key, (float(rate.burst), now))
            left = min(float(rate.burst), left + (now - at) * rate.per_second)
            if left < 1:
                self._left[key] = (left, now)
                raise ratelimited(max(1, math.ceil((1 - left) / rate.per_second)))
            self._left[key] = (left - 1, now)
