"""`run_with_timeout` returns in time, and reports whether COMMIT was sent."""

import asyncio

import pytest

from app.concurrency.timeouts import mark_commit_sent, run_with_timeout
from app.flow.ports.database import CommitOutcomeUnknown

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


async def test_it_returns_what_the_work_returns() -> None:
    assert await run_with_timeout(LONG, asyncio.sleep(0, "done")) == "done"


async def test_it_raises_what_the_work_raises() -> None:
    async def fails() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await run_with_timeout(LONG, fails())


@pytest.mark.parametrize("how", [None, LookupError("late")])
async def test_it_does_not_wait_for_work_that_will_not_be_cancelled(how: Exception | None) -> None:
    ended = asyncio.Event()

    with pytest.raises(TimeoutError):
        await run_with_timeout(0.01, _stubborn(ended, how))

    ended.set()
    rest = asyncio.all_tasks() - {task for task in [asyncio.current_task()] if task}
    await asyncio.wait(rest)  # how it ends disturbs nobody


async def test_cancelling_the_caller_cancels_the_work() -> None:
    was_cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            was_cancelled.set()

    waiting = asyncio.create_task(run_with_timeout(LONG, work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(was_cancelled.wait(), 5)


@pytest.mark.parametrize("after", [0.0, LONG])
async def test_a_timeout_after_commit_was_sent_leaves_the_outcome_unknown(after: float) -> None:
    """Also where COMMIT was answered and the work has not ended yet."""

    async def commits() -> None:
        mark_commit_sent()
        await asyncio.sleep(LONG - after)
        await asyncio.sleep(after)

    with pytest.raises(CommitOutcomeUnknown):
        await run_with_timeout(0.01, commits())


async def test_a_timeout_before_commit_was_sent_is_a_plain_timeout() -> None:
    with pytest.raises(TimeoutError) as raised:
        await run_with_timeout(0.01, asyncio.sleep(LONG))
    assert not isinstance(raised.value, CommitOutcomeUnknown)


async def test_of_nested_timeouts_only_the_inner_outcome_is_unknown() -> None:
    async def inner() -> None:
        mark_commit_sent()
        await asyncio.sleep(LONG)

    async def outer() -> None:
        with pytest.raises(CommitOutcomeUnknown):
            await run_with_timeout(0.01, inner())
        await asyncio.sleep(LONG)

    with pytest.raises(TimeoutError) as raised:
        await run_with_timeout(0.1, outer())
    assert not isinstance(raised.value, CommitOutcomeUnknown)
