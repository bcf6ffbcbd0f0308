"""The requests that the stand-in received."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

_SECRET = "lifecycleEventHookExecutionId"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived. `outcome`: `ok`, an error code, or what a fault made of it.

    A hook execution id in `params` is replaced by `sha256:` and its digest in hex.
    """

    op: str
    params: Mapping[str, Any]
    when: datetime
    outcome: str


class Calls:
    """The latest `remember` calls, oldest first."""

    def __init__(self, remember: int) -> None:
        self._calls: deque[Call] = deque(maxlen=remember)

    def note(self, op: str, params: Mapping[str, Any], when: datetime, outcome: str) -> None:
        secret = params.get(_SECRET)
        if isinstance(secret, str):
            params = {**params, _SECRET: f"sha256:{sha256(secret.encode()).hexdigest()}"}
        self._calls.append(Call(op, params, when, outcome))

    def all(self, op: str | None = None) -> list[Call]:
        return [call for call in self._calls if op is None or call.op == op]
