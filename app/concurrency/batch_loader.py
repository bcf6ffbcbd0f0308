"""Batches look-ups that are made at the same time.

Look-ups of one iteration of the event loop go into one call. While `max_concurrent` calls run, further look-ups wait
and then share the next call. So a burst of hooks costs a few calls of CodeDeploy's (undocumented, shared) rate
limit instead of one each, and polling many switches costs one SQL statement. A single look-up does not wait.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BatchLoader(Generic[K, V]):
    """Calls `load` with up to `max_batch` keys, at most `max_concurrent` calls at once.

    `load` returns a value or an exception for each key, in order. Cancelling one caller does not affect the others.
    """

    def __init__(
        self,
        load: Callable[[Sequence[K]], Awaitable[Sequence[V | Exception]]],
        *,
        max_batch: int,
        max_concurrent: int,
    ) -> None:
        self._load = load
        self._max_batch = max_batch
        self._free_slots = max_concurrent
        self._start_scheduled = False
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V:
        """The value of `key`, as of a call that began after this one was made."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._free_slots > 0 and not self._start_scheduled:
            # Not at once: keys requested in this iteration of the event loop join the same call.
            self._start_scheduled = True
            asyncio.get_running_loop().call_soon(self._start)
        return await asyncio.shield(future)

    def _start(self) -> None:
        self._start_scheduled = False
        while self._waiting and self._free_slots > 0:
            batch = dict(list(self._waiting.items())[: self._max_batch])
            for key in batch:
                del self._waiting[key]
            self._free_slots -= 1
            call = asyncio.create_task(self._call(batch))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, batch: dict[K, asyncio.Future[V]]) -> None:
        try:
            results: Sequence[V | Exception] = await self._load(list(batch))
        except Exception as exc:
            results = [exc] * len(batch)
        for future, result in zip(batch.values(), results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
                future.exception()  # if the caller is gone, asyncio must not warn of an exception nobody retrieved
            else:
                future.set_result(result)
        self._free_slots += 1
        if not self._start_scheduled:
            self._start()
