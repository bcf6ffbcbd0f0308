"""Questions that come at the same time are asked together.

While one question is under way the next ones wait; when it returns they go as one. A burst of hooks then costs
a few calls of CodeDeploy's (undocumented, shared) rate instead of one each; a lone question waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Together(Generic[K, V]):
    """Asks `ask` for up to `most` keys at a time, `lanes` calls at once.

    `ask` gives a value or an exception for each key, in order. Cancelling a caller leaves the others be.
    """

    def __init__(
        self, ask: Callable[[Sequence[K]], Awaitable[Sequence[V | Exception]]], *, most: int, lanes: int
    ) -> None:
        self._ask = ask
        self._most = most
        self._free = lanes
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V:
        """The value of `key`, as of a call that began after this one was made."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._free > 0:
            self._start()
        return await asyncio.shield(future)

    def _start(self) -> None:
        taken = dict(list(self._waiting.items())[: self._most])
        for key in taken:
            del self._waiting[key]
        self._free -= 1
        call = asyncio.create_task(self._call(taken))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, taken: dict[K, asyncio.Future[V]]) -> None:
        try:
            answers: Sequence[V | Exception] = await self._ask(list(taken))
        except Exception as trouble:
            answers = [trouble] * len(taken)
        for future, answer in zip(taken.values(), answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
                future.exception()  # a caller that has gone must not leave an unread exception behind
            else:
                future.set_result(answer)
        self._free += 1
        if self._waiting:
            self._start()
