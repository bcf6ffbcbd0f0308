"""`[[freeze]]` as people write it: every week, or once, on the clocks of a time zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.config.policy import Table
from app.config.times import moment, time_zone, week_span
from app.config.values import Wrong
from app.gate.rules.freeze import Freeze, Span, Weekly

if TYPE_CHECKING:
    from app.config.schema import File, Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfiguredFreeze:
    """A freeze of the file. `domains` None: of all. `zone`: on whose clocks it was written."""

    freeze: Freeze
    domains: frozenset[str] | None
    zone: ZoneInfo


def _as_text(value: object) -> object:
    """TOML's own dates and times, as text."""
    return value.isoformat() if isinstance(value, date | datetime) else value


def _said(value: str) -> str:
    if not value.strip():
        raise Wrong("is empty, and people will ask why", 'Write one, such as reason = "weekend".')
    return value.strip()


def _some(value: list[str]) -> list[str]:
    if not value:
        raise Wrong("is empty, so nothing would be frozen", "Name domains, or leave the line out for all.")
    return value


Moment = Annotated[str, BeforeValidator(_as_text)]


class FreezeTable(Table):
    """`[[freeze]]`"""

    reason: Annotated[str, AfterValidator(_said), Field(max_length=300)]
    domains: Annotated[list[str], AfterValidator(_some)] | None = None
    weekly: str | None = None
    start: Annotated[Moment | None, Field(alias="from")] = None
    until: Moment | None = None
    time_zone: str | None = None

    @model_validator(mode="after")
    def _one_time(self) -> "FreezeTable":
        once = self.start is not None or self.until is not None
        if once == (self.weekly is not None) or (once and None in (self.start, self.until)):
            remedy = 'Write weekly = "fri 18:00 - mon 09:00", or from and until.'
            raise Wrong("says not when, or says it twice", remedy)
        self.when()
        return self

    def when(self) -> Weekly | Span:
        """Raises `Wrong`."""
        zone = self.zone()
        if self.weekly is not None:
            start, end = week_span(self.weekly)
            return Weekly(start=start, end=end, zone=zone)
        first = moment(self.start or "", zone=zone, is_end=False)
        last = moment(self.until or "", zone=zone, is_end=True)
        if last <= first:
            raise Wrong(f'ends ("{self.until}") before it begins ("{self.start}")', "Exchange the two.")
        return Span(start=first, end=last)

    def zone(self) -> ZoneInfo:
        """Raises `Wrong`."""
        if self.time_zone is None:
            raise Wrong("names times without a time zone", 'Add time_zone = "Asia/Seoul".')
        return time_zone(self.time_zone)

    def made(self) -> ConfiguredFreeze:
        """The freeze."""
        domains = frozenset(self.domains) if self.domains is not None else None
        freeze = Freeze(reason=self.reason, when=self.when())
        return ConfiguredFreeze(freeze=freeze, domains=domains, zone=self.zone())


def freeze_problems(found: "File") -> "Sequence[Problem]":
    """Freezes of domains that are not there."""
    problems = []
    for place, table in found.freezes:
        for name in table.domains or ():
            if name not in found.domains:
                near = get_close_matches(name, found.domains, n=1)
                remedy = f"Did you mean {near[0]}?" if near else "Name domains of this file."
                key = [f"freeze#{place}", "domains"]
                problems.append(found.problem(key, f'names "{name}", which is no domain', remedy))
                break
    return problems
