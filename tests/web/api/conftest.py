"""An afternoon at the harness: one switch approved, one rejected, one that waits; and somebody who asks about it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from app.sandbox.people import MINA, OLU
from tests.harness import Harness, running_harness
from tests.web.api.asking import Asker, asking

TOKENS = {"grafana": "a-token-of-grafana-0123456789", "ci": "a-token-of-ci-0123456789"}


@pytest.fixture
async def asker(harness: Harness) -> AsyncIterator[Asker]:
    """Asks a harness that has no tokens, from the same machine."""
    async with asking(harness) as one:
        yield one


@pytest.fixture
async def guarded(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asker]:
    """Asks a harness that wants a token."""
    tokens = ",".join(f"{name}:{token}" for name, token in TOKENS.items())
    environment = {"SWITCHGATE_API_TOKENS": tokens}
    async with (
        running_harness(tmp_path, database_url, monkeypatch, environment=environment) as harness,
        asking(harness) as one,
    ):
        yield one


@pytest.fixture
async def afternoon(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Asker]:
    """order approved by Mina, payment rejected by Olu, hub waiting; and nothing more is about to happen."""
    quiet = tuple(replace(domain, auto_rollback=()) for domain in EIGHT_DOMAINS)
    async with (
        running_harness(tmp_path, database_url, monkeypatch, domains=quiet) as harness,
        asking(harness) as asker,
    ):
        order, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, order)
        payment, _ = await harness.open_gate("payment")
        await harness.reject(OLU.id, payment, "checkout is broken")
        hub, _ = await harness.open_gate("hub")
        asker.deployments = {"order": order, "payment": payment, "hub": hub}
        await harness.until(lambda: harness.gate(payment)["phase"] == "closed" and _is_quiet(harness))
        yield asker


def _is_quiet(harness: Harness) -> bool:
    due = "SELECT 1 FROM {} WHERE due_at <= now()"
    undecided = harness.rows("SELECT 1 FROM gates WHERE phase = 'decided'")
    return not undecided and not [
        work for work in ("cards", "reports", "switches") if harness.rows(due.format(work))
    ]
