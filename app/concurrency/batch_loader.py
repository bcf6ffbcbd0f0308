"""Questions that come at the same time are asked together.

Those of one moment go as one, and while as many are under way as there are lanes the next ones wait and then go
as one. A burst of hooks costs a few calls of CodeDeploy's (undocumented, shared) rate instead of one each, looks at
many switches one statement of the record's; a lone question waits for nobody.
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
        self._starting = False
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V:
        """The value of `key`, as of a call that began after this one was made."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._free > 0 and not self._starting:
            # Not at once: what else is asked in this turn of the loop comes along.
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)
        return await asyncio.shield(future)

    def _start(self) -> None:
        self._starting = False
        while self._waiting and self._free > 0:
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
        if not self._starting:
            self._start()
