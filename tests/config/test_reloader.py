"""A configuration is replaced on request and, where it is remote, on a timer; one with a mistake is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from app.config.loader import Config, parse_config
from app.config.reloader import ConfigReloader
from app.config.runtime import RuntimeConfig
from app.config.source import unread
from app.gate.rules.policy import Roster

GOOD = """
[slack]
channel = "C01DEPLOY"
[policy]
approvers = ["S0ONCALL"]
[domains.order]
application = "order-app"
deployment_group = "order-dg"
"""
OTHER = GOOD + "approvals = 2\n"
BAD = GOOD + "nonsense = 1\n"
ALLOW = "Allow it."


class Source:
    """A configuration whose text the test changes. None: it cannot be read."""

    name = "s3://klp-config/switchgate.toml"

    def __init__(self, *, is_remote: bool = True) -> None:
        self.is_remote = is_remote
        self.text: str | None = GOOD
        self.reads = 0

    def read(self) -> str:
        self.reads += 1
        if self.text is None:
            raise unread(self.name, "AccessDenied", ALLOW)
        return self.text


class Reloading:
    """A reloader that runs, and the configurations that it has put in force."""

    def __init__(self, source: Source, *, interval: float) -> None:
        self.source = source
        self.replaced: list[Config] = []
        self.marked: list[bool] = []
        self.reloader = ConfigReloader(
            source,
            in_force=parse_config(GOOD, file=source.name),
            replace=self.replaced.append,
            mark_stale=self.marked.append,
            interval=interval,
        )

    async def read_again(self) -> None:
        """Until it has been read twice more, so that the first of them has had its effect."""
        reads = self.source.reads
        await until(lambda: self.source.reads >= reads + 2)


@asynccontextmanager
async def reloading(source: Source, *, interval: float = 0.005) -> AsyncIterator[Reloading]:
    running = Reloading(source, interval=interval)
    task = asyncio.create_task(running.reloader.run())
    try:
        yield running
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(predicate: Callable[[], object]) -> None:
    end = asyncio.get_running_loop().time() + 10
    while not predicate():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.002)


def stale() -> float | None:
    return REGISTRY.get_sample_value("switchgate_config_stale")


def reloads(outcome: str) -> float:
    return REGISTRY.get_sample_value("switchgate_config_reloads_total", {"outcome": outcome}) or 0.0


async def test_a_remote_configuration_that_has_changed_is_put_in_force_once() -> None:
    async with reloading(Source()) as running:
        await running.read_again()
        assert running.replaced == []

        running.source.text = OTHER + "# a comment\n"
        await until(lambda: running.replaced)
        running.source.text = OTHER
        await running.read_again()

    assert [config.domains["order"].policy.approvals for config in running.replaced] == [2]


@pytest.mark.parametrize("problem", [BAD, None], ids=["mistake", "unreadable"])
async def test_nothing_passes_in_observe_mode_by_a_configuration_that_may_be_outdated(
    problem: str | None,
) -> None:
    observing = parse_config(GOOD.replace("[policy]", '[policy]\nmode = "observe"'), file="test")
    rules = RuntimeConfig(
        observing, roster=Roster, last_synced_at=lambda group: None, clock=lambda: datetime.now(UTC)
    )
    assert rules.observed() == ["order"]
    async with reloading(Source()) as running:
        running.source.text = problem
        await running.read_again()
        rules.mark_stale(running.marked[-1])
        assert rules.observed() == []
        running.source.text = GOOD
        await running.read_again()
        rules.mark_stale(running.marked[-1])
    assert rules.observed() == ["order"]


async def test_a_mistake_is_refused_and_said_once_and_the_one_in_force_stays() -> None:
    refused = reloads("refused")
    with capture_logs() as logged:
        async with reloading(Source()) as running:
            running.source.text = BAD
            await running.read_again()
            await running.read_again()
            assert (running.replaced, stale()) == ([], 1.0)
            assert reloads("refused") >= refused + 2

            running.source.text = GOOD
            await until(lambda: stale() == 0.0)
            assert running.replaced == []

    said = [line for line in logged if line["event"] == "config_not_reloaded"]
    assert len(said) == 1
    assert said[0]["problems"].startswith(
        "s3://klp-config/switchgate.toml: domains.order.nonsense: is unknown."
    )


async def test_a_configuration_that_cannot_be_read_stays_in_force() -> None:
    count = reloads("unread")
    with capture_logs() as logged:
        async with reloading(Source()) as running:
            running.source.text = None
            await until(lambda: stale() == 1.0)
            assert reloads("unread") > count

            running.source.text = OTHER
            await until(lambda: running.replaced)
            assert stale() == 0.0

    assert "cannot be read: AccessDenied" in logged[0]["problems"]


async def test_a_request_puts_it_in_force_also_if_nothing_has_changed_and_says_every_refusal() -> None:
    source = Source(is_remote=False)
    with capture_logs() as logged:
        async with reloading(source) as running:
            running.reloader.request()
            await until(lambda: len(running.replaced) == 1)
            source.text = BAD
            for count in (1, 2):
                running.reloader.request()
                await until(lambda count=count: len(logged) == count)  # type: ignore[misc]

    assert len(running.replaced) == 1


async def test_a_local_configuration_is_read_on_request_only() -> None:
    source = Source(is_remote=False)
    async with reloading(source) as running:
        await asyncio.sleep(0.05)
        assert source.reads == 0

        source.text = OTHER
        running.reloader.request()
        await until(lambda: running.replaced)
