"""The test harness: stand-in Slack and AWS, and the real service in the test's event loop.

A test moves the service's time with `harness.clock`; AWS's clock is stopped by default.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.dependencies import models

from app.bootstrap import build_service
from app.config.environment import Settings
from app.config.loader import load_config
from app.sandbox.aws.deployments.pace import Pace
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL
from app.sandbox.slack.delivery.answers import PressResult, SubmitResult
from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.shapes import Message
from app.service import Service
from app.slack.blocks import actions, button
from app.web.connections import BoundedH11Protocol
from tests.row_reader import RowReader

AT_ONCE = Pace(start=0, event=0, install=0, shift=0, stop=0, drain=0)


class TestClock:
    """The service's clock: the real time plus what the test added."""

    __test__ = False

    def __init__(self) -> None:
        self._added = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._added

    def advance(self, **by: float) -> None:
        """`advance(minutes=55)`"""
        self._added += timedelta(**by)


class Harness:
    """The running service and its stand-ins. Only `rows` bypasses the wire: it reads the database."""

    def __init__(
        self, fakes: Fakes, service: Service, clock: TestClock, *, database_url: str, url: str
    ) -> None:
        self.fakes = fakes
        self.aws: AwsStandIn = fakes.aws
        self.slack: SlackStandIn = fakes.slack
        self.service = service
        self.clock = clock
        self.database_url = database_url
        self.reader = RowReader(database_url)
        self.url = url

    async def until(self, predicate: Callable[[], object], timeout: float = 40) -> None:
        """Waits in real time until the predicate is true. Raises `AssertionError` on a timeout."""
        end = asyncio.get_running_loop().time() + timeout
        while not predicate():
            assert asyncio.get_running_loop().time() < end, f"timed out:\n{self.state()}"
            await asyncio.sleep(0.01)

    def reload_config(self) -> None:
        """Puts the configuration in force that the file has now."""
        self.service.replace_config(load_config(self.fakes.config_file))

    def state(self) -> str:
        """The state of the database, for the message of a failed test."""
        work = "due_at, attempts, claimed_until, last_error"
        switches = self.rows(
            f"SELECT deployment_id, status, green_percent, switched_at, {work} FROM switches"
        )
        gates = self.rows(
            "SELECT id, phase, verdict, version, decided_at, reported_at, remind_at, reminded_at FROM gates"
        )
        cards = self.rows(f"SELECT gate_id, wanted_version, drawn_version, {work} FROM cards")
        threads = self.rows(f"SELECT gate_id, last_posted_seq, posting_seq, {work} FROM threads")
        asked = self.rows(
            f"SELECT kind, phase, deployment_id, problem_code, problem, {work} FROM interventions"
        )
        now = [{"now": self.clock()}]
        return "\n".join(str(row) for row in [*now, *switches, *gates, *cards, *threads, *asked])

    async def advance_until(self, predicate: Callable[[], object], timeout: float = 60) -> None:
        """Like `until`, and advances AWS's clock in small steps meanwhile."""

        def step() -> object:
            self.aws.clock.advance(0.2)
            return predicate()

        await self.until(step, timeout)

    async def deploy(self, domain: str, **how: Any) -> str:
        """Deploys; returns the deployment's id once its hook is pending or answered."""
        deployment = self.aws.deploy(domain, **how)
        await self.until(
            lambda: self.aws.deployment(deployment).waits_for is not None or self.aws.answers(deployment)
        )
        return deployment

    async def open_gate(self, domain: str, **how: Any) -> tuple[str, Message]:
        """Deploys; returns the deployment's id and its card once it can be decided."""
        deployment = await self.deploy(domain, **how)
        await self.until(lambda: "reject" in self.actions(deployment))
        return deployment, self.card(deployment)

    def cards(self) -> Sequence[Message]:
        """The app's messages in the channel, without replies."""
        said = self.slack.messages.in_channel(CHANNEL.id)
        return [message for message in said if message.by_app and not message.is_reply]

    def find_card(self, deployment: str) -> Message | None:
        """The current card of the deployment."""
        return next((card for card in self.cards() if deployment in text_of(card)), None)

    def card(self, deployment: str) -> Message:
        found = self.find_card(deployment)
        assert found is not None, f"no card names {deployment}"
        return found

    def card_text(self, deployment: str) -> str:
        """The text of the deployment's card; empty while there is none."""
        found = self.find_card(deployment)
        return text_of(found) if found else ""

    def actions(self, deployment: str) -> set[str]:
        """The action ids of the buttons on the deployment's card, and those that its menu stands for."""
        found = self.find_card(deployment)
        return set(pressable(found.shown.blocks)) if found else set()

    async def press(self, user: str, deployment: str, action: str, **how: Any) -> PressResult:
        """Presses a button on the deployment's card, or chooses it in the menu."""
        card = self.card(deployment)
        found = pressable(card.shown.blocks).get(action, {})
        if "selected" in found:
            return await self.slack.press_async(
                user, card.channel, card.ts, found["action_id"], value=found["selected"], **how
            )
        return await self.slack.press_async(user, card.channel, card.ts, action, **how)

    async def approve(self, user: str, deployment: str) -> PressResult:
        """On the card; where it has never had the button, on a message that was posted before a rule blocked."""
        try:
            return await self.press(user, deployment, "approve")
        except NotInWorkspace:
            value = pressable(self.card(deployment).shown.blocks)["reject"]["value"]
            approve = button("Approve", action="approve", value=value)
            old = self.slack.place(CHANNEL.id, "an old message", [actions("old", approve)])
            return await self.slack.press_async(user, old.channel, old.ts, "approve")

    async def reject(self, user: str, deployment: str, reason: str) -> SubmitResult:
        """Presses Reject and submits the reason in the modal."""
        await self.press(user, deployment, "reject")
        await self.until(lambda: self.slack.views.top(user) is not None)
        form = self.slack.views.top(user)
        assert form is not None
        return await self.slack.submit_async(user, form.id, {"reason": reason})

    def ephemerals(self, user: str) -> str:
        """The ephemeral messages of one person, as text."""
        return "\n".join(text_of(message) for message in self.slack.messages.ephemerals(user))

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Reads from the database at `database_url`, which a test may change to read past a line that it cuts."""
        if self.reader.url != self.database_url:
            self.reader.close()
            self.reader = RowReader(self.database_url)
        return self.reader.rows(statement, *values)

    def gate(self, deployment: str) -> dict[str, Any]:
        """The one gate of a deployment, as its row."""
        found = self.rows(
            "SELECT g.*, s.domain, s.status, s.ended_at, s.end_reason FROM gates g"
            " JOIN switches s ON s.id = g.switch_id WHERE s.deployment_id = %s",
            deployment,
        )
        assert len(found) == 1, f"{deployment} has {len(found)} gates"
        return found[0]

    def table(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        return self.rows(f"SELECT * FROM {table}")

    def audit(self, deployment: str) -> list[str]:
        """The kinds of the audit events, oldest first."""
        rows = self.rows("SELECT kind FROM audit_events WHERE deployment_id = %s ORDER BY seq", deployment)
        return [row["kind"] for row in rows]

    async def reported(self, deployment: str, timeout: float = 40) -> list[str]:
        """The answers that CodeDeploy got, once there is one."""
        await self.until(lambda: self.aws.answers(deployment), timeout)
        return self.aws.answers(deployment)


def text_of(message: Message) -> str:
    """Text and blocks as one searchable string."""
    return message.shown.text + "\n" + "\n".join(texts_in(list(message.shown.blocks)))


def pressable(blocks: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """The buttons by action id; an option of a menu by the action id that it stands for."""
    elements = [element for block in blocks for element in block.get("elements", [])]
    buttons = {element["action_id"]: element for element in elements if element.get("type") == "button"}
    options = {
        option["value"].partition(" ")[0]: {"action_id": element["action_id"], "selected": option["value"]}
        for element in elements
        if element.get("type") == "overflow"
        for option in element["options"]
    }
    return options | buttons


def texts_in(part: Any) -> list[str]:
    """Every text in blocks or a view."""
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [text for value in part.values() for text in texts_in(value)]
    if isinstance(part, list):
        return [text for item in part for text in texts_in(item)]
    return []


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[str]:
    """The service started and listening; gives its URL."""
    try:
        await service.start()
        async with _listening(service) as url:
            yield url
    finally:
        await service.stop()


@asynccontextmanager
async def _listening(service: Service) -> AsyncIterator[str]:
    config = uvicorn.Config(
        service.http,
        host="127.0.0.1",
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        http=BoundedH11Protocol,
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def running_harness(
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    environment: dict[str, str] | None = None,
    before: Callable[[Fakes], object] | None = None,
    **options: Any,
) -> AsyncIterator[Harness]:
    """A running harness. `options`: see `app.sandbox.fakes.Fakes`; `environment` adds to the service's.

    `before` is called after the stand-ins have started and before the service starts.
    """
    clock = TestClock()
    with Fakes(tmp_path, **{"speed": 0.0, "pace": AT_ONCE, "seed": 1, **options}) as built:
        variables = {**built.environment(database_url=database_url), **(environment or {})}
        for name, value in built.aws.environment().items():
            monkeypatch.setenv(name, value)
        settings = Settings.read(variables)
        if before is not None:
            before(built)
        service = build_service(
            settings, load_config(built.config_file), database_url=database_url, clock=clock
        )
        built.lambda_time = lambda: clock().timestamp()
        async with serving(service) as url:
            built.service_urls = [url]
            if settings.slack_app_token is None:
                built.slack.request_url = f"{url}/slack/events"
            harness = Harness(built, service, clock, database_url=database_url, url=url)
            if settings.slack_app_token is not None:
                await harness.until(lambda: built.slack.connected > 0)
            try:
                yield harness
            finally:
                harness.reader.close()
    _let_go()


def _let_go() -> None:
    """Clears the caches of FastAPI: they keep endpoints, and with them complete harnesses, of 15 MB each."""
    for remembered in vars(models).values():
        if hasattr(remembered, "cache_clear"):
            remembered.cache_clear()
