"""A secret in a task definition's environment appears nowhere: everything that the service wrote is searched."""

import base64
import io
import logging
from collections.abc import Iterator
from hashlib import sha256

import aiohttp
import psycopg
import pytest

from app.observability.logging import configure_logging
from app.sandbox.people import GRACE, MINA, OLU
from tests.harness import Harness
from tests.logs import log_to_console

OLD = "hunter2-before-9b1e"
NEW = "hunter2-after-44c0"
SOURCE = "secret-source-7d21"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as much of it as can be had."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging(format="json", level="DEBUG", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    log_to_console()


def written(secret: str) -> list[str]:
    """The secret, and what it would look like encoded or hashed."""
    raw = secret.encode()
    return [secret, base64.b64encode(raw).decode(), raw.hex(), sha256(raw).hexdigest()]


def everything_recorded(database_url: str) -> str:
    """Every row of every table, as text."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        assert ("evidence",) in tables
        rows = [
            row
            for (table,) in tables
            for row in connection.execute(f'SELECT t::text FROM "{table}" t').fetchall()
        ]
    return "\n".join(text for (text,) in rows)


async def fetched(harness: Harness) -> str:
    """All HTTP responses of the service."""
    said = []
    async with aiohttp.ClientSession() as session:
        for path in (
            "/api/v1/gates",
            "/api/v1/switches",
            "/api/v1/audit",
            "/metrics",
            "/readyz",
            "/api/openapi.json",
        ):
            async with session.get(f"{harness.url}{path}") as answer:
                assert answer.status == 200, path
                said.append(await answer.text())
    return "\n".join(said)


async def run_switch(harness: Harness) -> str:
    """Blue has a secret in its environment; green changes it. All pages are opened. Returns the deployment."""
    harness.aws.register_revision(
        "order", "1.42.0", environment={"DB_PASSWORD": OLD}, secrets={"API_KEY": f"arn:aws:ssm:{SOURCE}"}
    )
    first, _ = await harness.open_gate("order")
    await harness.until(lambda: "DB_PASSWORD" in harness.card_text(first))
    await harness.approve(MINA.id, first)
    await harness.reported(first)
    harness.aws.advance_until(lambda: harness.aws.deployment(first).over)
    harness.aws.register_revision(
        "order",
        "1.43.0",
        environment={"DB_PASSWORD": NEW},
        secrets={"API_KEY": f"arn:aws:ssm:{SOURCE}-new"},
        command=("run", f"--password={NEW}"),
    )
    second, _ = await harness.open_gate("order")
    await harness.until(lambda: "env var `DB_PASSWORD` changed" in harness.card_text(second))
    for user in (MINA.id, OLU.id):
        await harness.press(user, second, "details")
        await harness.until(lambda user=user: harness.slack.views.top(user) is not None)  # type: ignore[misc]
    await harness.slack.slash_async(OLU.id, "C01DEPLOY", "/deploys", "order")
    await harness.reject(GRACE.id, second, "not today")
    await harness.reported(second)
    return second


async def test_a_secret_in_the_environment_appears_nowhere(log: io.StringIO, harness: Harness) -> None:
    await run_switch(harness)
    responses = await fetched(harness)
    places = {
        "Slack": harness.slack.traffic(),
        "the record": everything_recorded(harness.database_url),
        "the log": log.getvalue(),
        "HTTP": responses,
    }
    assert all(len(text) > 500 for text in places.values()), "something was searched that holds nothing"
    found = [
        (place, secret)
        for place, text in places.items()
        for secret in (OLD, NEW, SOURCE)
        for form in written(secret)
        if form in text
    ]
    assert found == []


async def test_what_was_searched_would_have_shown_it(harness: Harness) -> None:
    """The names of the same variables are in all the places where a value could have been."""
    second = await run_switch(harness)
    assert "DB_PASSWORD" in harness.slack.traffic()
    assert "DB_PASSWORD" in everything_recorded(harness.database_url)
    assert "DB_PASSWORD" in await fetched(harness)
    assert "secret `API_KEY` points to a different source" in harness.slack.traffic()
    assert "command changed" in harness.slack.traffic()
    assert harness.gate(second)["verdict"] == "rejected"
