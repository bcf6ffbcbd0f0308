"""Real replicas: `switchgate serve` processes that share one database and one pair of fakes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL
from app.sandbox.replica import Replica
from app.sandbox.slack.state.shapes import Message
from tests.harness import AT_ONCE, text_of


class Fleet:
    """Replicas that share one pair of fakes. Blocking, for tests without an event loop."""

    def __init__(self, fakes: Fakes, folder: Path, *, database_url: str, stack: ExitStack) -> None:
        self.fakes, self.aws, self.slack = fakes, fakes.aws, fakes.slack
        self.database_url = database_url
        self._folder = folder
        self._stack = stack
        self._count = 0
        self._record = stack.enter_context(
            psycopg.connect(database_url, autocommit=True, row_factory=dict_row)
        )

    def start(self) -> Replica:
        """Starts one more replica; it gets its share of hooks and presses."""
        self._count += 1
        environment = self.fakes.environment(database_url=self.database_url)
        environment["SWITCHGATE_LOG_LEVEL"] = "WARNING"
        replica = Replica(environment, log=self._folder / f"replica-{self._count}.log")
        self._stack.enter_context(replica)
        return replica

    def start_together(self, count: int) -> list[Replica]:
        """Returns once all of them are ready."""
        replicas = [self.start() for _ in range(count)]
        for replica in replicas:
            replica.wait_ready(60)
        self.fakes.service_urls = [replica.url for replica in replicas]
        self.until(lambda: self.slack.connected >= count)
        return replicas

    def until(self, predicate: Callable[[], object], timeout: float = 90) -> None:
        """Raises `AssertionError` on a timeout."""
        end = time.monotonic() + timeout
        while not predicate():
            assert time.monotonic() < end, "timed out"
            time.sleep(0.1)

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Reads from the database."""
        return self._record.execute(statement, list(values)).fetchall()

    def count(self, what: str) -> int:
        """`count("gates WHERE phase = 'awaiting'")`"""
        found: int = self.rows(f"SELECT count(*) AS n FROM {what}")[0]["n"]
        return found

    def cards(self) -> list[Message]:
        """The app's messages in the channel, without replies."""
        said = self.slack.messages.in_channel(CHANNEL.id)
        return [message for message in said if message.by_app and not message.is_reply]

    def card(self, deployment: str) -> Message:
        return next(card for card in self.cards() if deployment in text_of(card))

    def open_gate(self, domain: str) -> tuple[str, Message]:
        """Deploys; returns the deployment and its card once it can be decided."""
        deployment = self.aws.deploy(domain)
        self.until(lambda: any(deployment in text_of(card) and buttons(card) for card in self.cards()))
        return deployment, self.card(deployment)


def buttons(card: Message) -> set[str]:
    """The card's buttons that decide."""
    elements = [element for block in card.shown.blocks for element in block.get("elements", [])]
    return {element.get("action_id") for element in elements} & {"approve", "reject"}


@contextmanager
def fleet(folder: Path, database_url: str, **options: Any) -> Iterator[Fleet]:
    """Fakes without replicas; `options` as for `app.sandbox.fakes.Fakes`."""
    with ExitStack() as stack:
        built = stack.enter_context(Fakes(folder, **{"speed": 0.0, "pace": AT_ONCE, "seed": 1, **options}))
        yield Fleet(built, folder, database_url=database_url, stack=stack)
