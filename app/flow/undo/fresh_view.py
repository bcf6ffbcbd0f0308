"""Reads a live deployment before somebody is told how it can be rolled back.

A switch at rest is polled every 25 seconds, so the record may still say that blue runs when it is terminated.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from app.flow.ports.codedeploy import CodeDeployUnavailable, Deployments, NoSuchDeployment
from app.flow.ports.database import DatabaseUnavailable
from app.flow.read_models import GateView
from app.gate.ids import GateId, SwitchKey

STORED_INTERVAL_SECONDS: Final = 0.05


class StoredGates(Protocol):
    async def get(self, gate: GateId) -> GateView | None: ...


class RequestedPolls(Protocol):
    async def wake(self, key: SwitchKey, *, now: datetime) -> bool:
        """Makes the poll of a live switch due now."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshViews:
    """`poll_requested` wakes the workers that poll."""

    gates: StoredGates
    polls: RequestedPolls
    deployments: Deployments
    poll_requested: Callable[[], None]
    clock: Callable[[], datetime]

    async def of(self, view: GateView, *, seconds: float) -> GateView | None:
        """The gate with its deployment as CodeDeploy shows it now; None if that was not known within `seconds`.

        One that has ended is shown as its poll has stored it, because a request is judged by the record.
        """
        if view.switch.ended_at is not None:
            return view
        try:
            async with asyncio.timeout(seconds):
                facts = await self.deployments.deployment(view.switch.key)
                return await self._once_stored(view) if facts.over else view
        except (CodeDeployUnavailable, NoSuchDeployment, DatabaseUnavailable, TimeoutError):
            return None

    async def _once_stored(self, view: GateView) -> GateView | None:
        await self.polls.wake(view.switch.key, now=self.clock())
        self.poll_requested()
        while True:
            stored = await self.gates.get(view.id)
            if stored is None or stored.switch.ended_at is not None:
                return stored
            await asyncio.sleep(STORED_INTERVAL_SECONDS)
