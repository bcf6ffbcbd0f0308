"""Waiting so long and no longer."""

import asyncio

import pytest

from app.concurrency.timeouts import InDoubt, past_recall, within

LONG = 60.0


async def _stubborn(ended: asyncio.Event, how: Exception | None = None) -> None:
    """Work that does not end when it is cancelled, until it is ready to."""
    try:
        await asyncio.sleep(LONG)
    except asyncio.CancelledError:
        await ended.wait()
        if how is not None:
            raise how from None
        raise


async def test_it_gives_what_the_work_gives() -> None:
    assert await within(LONG, asyncio.sleep(0, "done")) == "done"


async def test_it_raises_what_the_work_raises() -> None:
    async def fails() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await within(LONG, fails())


@pytest.mark.parametrize("how", [None, LookupError("late")])
async def test_it_does_not_wait_for_work_that_will_not_be_cancelled(how: Exception | None) -> None:
    ended = asyncio.Event()

    with pytest.raises(TimeoutError):
        await within(0.01, _stubborn(ended, how))

    ended.set()
    rest = asyncio.all_tasks() - {task for task in [asyncio.current_task()] if task}
    await asyncio.wait(rest)  # and what became of it disturbs nobody


async def test_whoever_is_cancelled_takes_the_work_along() -> None:
    heard = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            heard.set()

    waiting = asyncio.create_task(within(LONG, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(heard.wait(), 5)


@pytest.mark.parametrize("after", [0.0, LONG])
async def test_what_was_past_recall_when_the_time_was_up_is_in_doubt(after: float) -> None:
    """Also where it was done, and the work has not come to its end."""

    async def commits() -> None:
        past_recall()
        await asyncio.sleep(LONG - after)
        await asyncio.sleep(after)

    with pytest.raises(InDoubt):
        await within(0.01, commits())


async def test_what_can_still_be_called_back_is_not_in_doubt() -> None:
    with pytest.raises(TimeoutError) as trouble:
        await within(0.01, asyncio.sleep(LONG))
    assert not isinstance(trouble.value, InDoubt)


async def test_whoever_waits_inside_another_wait_is_in_doubt_alone() -> None:
    async def inner() -> None:
        past_recall()
        await asyncio.sleep(LONG)

    async def outer() -> None:
        with pytest.raises(InDoubt):
            await within(0.01, inner())
        await asyncio.sleep(LONG)

    with pytest.raises(TimeoutError) as trouble:
        await within(0.1, outer())
    assert not isinstance(trouble.value, InDoubt)
