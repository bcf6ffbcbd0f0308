"""Trigger ids and response URLs: they are valid for a limited time after a press."""

import threading
from dataclasses import dataclass
from typing import Final

from app.sandbox.slack.errors import SlackError
from app.sandbox.slack.state.clock import Clock
from app.sandbox.slack.state.ids import new_id, new_secret

TRIGGER_SECONDS: Final = 3.0
RESPONSE_SECONDS: Final = 30 * 60.0
RESPONSE_USES: Final = 5


@dataclass(slots=True)
class _Trigger:
    user: str
    until: float
    spent: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """`ts`: the message that was pressed, if any; `user`: who pressed."""

    channel: str
    user: str
    ts: str | None
    until: float
    uses: int = RESPONSE_USES


class Triggers:
    """One use, within 3 s: https://docs.slack.dev/interactivity/handling-user-interaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._issued: dict[str, _Trigger] = {}

    def issue(self, user: str) -> str:
        id_ = f"{new_id('')}.{new_id('')}.{new_secret()}"
        self._issued[id_] = _Trigger(user, self._clock.seconds() + TRIGGER_SECONDS)
        return id_

    def spend(self, id_: str) -> str:
        """Gives the user. Raises `invalid_trigger_id`, `expired_trigger_id` and `exchanged_trigger_id`."""
        with self._lock:
            trigger = self._issued.get(id_)
            if trigger is None:
                raise SlackError("invalid_trigger_id")
            if self._clock.seconds() > trigger.until:
                raise SlackError("expired_trigger_id")
            if trigger.spent:
                raise SlackError("exchanged_trigger_id")
            trigger.spent = True
            return trigger.user


class ResponseUrls:
    """Five uses, within 30 minutes. `path` is the part after the host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, *, channel: str, user: str, ts: str | None = None) -> str:
        secret = new_secret()
        until = self._clock.seconds() + RESPONSE_SECONDS
        self._issued[secret] = ResponseUrl(channel, user, ts, until)
        return f"/response/{secret}"

    def use(self, secret: str) -> ResponseUrl:
        """Raises `expired_url` and `used_url`, both as HTTP 404."""
        with self._lock:
            url = self._issued.get(secret)
            if url is None or self._clock.seconds() > url.until:
                raise SlackError("expired_url", status=404)
            if url.uses <= 0:
                raise SlackError("used_url", status=404)
            url.uses -= 1
            return url
