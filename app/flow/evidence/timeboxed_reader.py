"""Reads a part of the evidence from AWS within a time limit: the result in time, or why there is none."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from app.flow.ports.evidence import EvidenceSource, EvidenceUnavailable
from app.gate.evidence.model import Missing, MissingReason

T = TypeVar("T")


class TimeboxedReader:
    """The source, and how long it may take over each part."""

    def __init__(self, source: EvidenceSource, *, seconds: float) -> None:
        self.source = source
        self._seconds = seconds

    async def read(self, part: Awaitable[T]) -> T | Missing:
        """The part, or why it is missing; never an exception of AWS."""
        try:
            async with asyncio.timeout(self._seconds):
                return await part
        except EvidenceUnavailable as exc:
            return exc.missing
        except TimeoutError:
            return Missing(reason=MissingReason.SILENT)
