"""An afternoon at the house: one switch approved, one rejected, one that waits; and somebody who asks about it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.sandbox.aws.world import EIGHT_DOMAINS
from app.sandbox.cast import MINA, OLU
from tests.house import House, living_house
from tests.web.api.asking import Asker, asking

TOKENS = {"grafana": "a-token-of-grafana-0123456789", "ci": "a-token-of-ci-0123456789"}


@pytest.fixture
async def asker(house: House) -> AsyncIterator[Asker]:
    """Asks a house that has no tokens, from the same machine."""
    async with asking(house) as one:
        yield one


@pytest.fixture
async def guarded(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asker]:
    """Asks a house that wants a token."""
    tokens = ",".join(f"{name}:{token}" for name, token in TOKENS.items())
    environment = {"SWITCHGATE_API_TOKENS": tokens}
    async with (
        living_house(tmp_path, record_url, monkeypatch, environment=environment) as house,
        asking(house) as one,
    ):
        yield one


@pytest.fixture
async def afternoon(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asker]:
    """order approved by Mina, payment rejected by Olu, hub waiting; and nothing more is about to happen."""
    quiet = tuple(replace(domain, auto_rollback=()) for domain in EIGHT_DOMAINS)
    async with (
        living_house(tmp_path, record_url, monkeypatch, domains=quiet) as house,
        asking(house) as asker,
    ):
        order, _ = await house.ask("order")
        await house.approve(MINA.id, order)
        payment, _ = await house.ask("payment")
        await house.reject(OLU.id, payment, "checkout is broken")
        hub, _ = await house.ask("hub")
        asker.deployments = {"order": order, "payment": payment, "hub": hub}
        await house.until(lambda: house.gate(payment)["phase"] == "closed" and _is_quiet(house))
        yield asker


def _is_quiet(house: House) -> bool:
    due = "SELECT 1 FROM {} WHERE due_at <= now()"
    undecided = house.rows("SELECT 1 FROM gates WHERE phase = 'decided'")
    return not undecided and not [
        work for work in ("cards", "reports", "switches") if house.rows(due.format(work))
    ]
