"""The table `[[freeze]]`: every week, or once, in a time zone."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.config.tables.policy_tables import Table
from app.config.times import moment, time_zone, week_span
from app.config.values import InvalidValue
from app.gate.rules.freeze import Freeze, Span, Weekly


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfiguredFreeze:
    """A freeze of the file. `domains` None: of all. `zone`: the time zone that it was written in."""

    freeze: Freeze
    domains: frozenset[str] | None
    zone: ZoneInfo


def _as_text(value: object) -> object:
    """TOML's own dates and times, as text."""
    return value.isoformat() if isinstance(value, date | datetime) else value


def _non_blank(value: str) -> str:
    if not value.strip():
        raise InvalidValue("is empty, and people will ask why", 'Write one, such as reason = "weekend".')
    return value.strip()


def _non_empty_list(value: list[str]) -> list[str]:
    if not value:
        raise InvalidValue(
            "is empty, so nothing would be frozen", "Name domains, or leave the line out for all."
        )
    return value


Moment = Annotated[str, BeforeValidator(_as_text)]


class FreezeTable(Table):
    """`[[freeze]]`"""

    reason: Annotated[str, AfterValidator(_non_blank), Field(max_length=300, examples=["weekend"])]
    """Shown on the cards; at most 300 characters."""
    domains: Annotated[
        Annotated[list[str], AfterValidator(_non_empty_list)] | None, Field(examples=[["order"]])
    ] = None
    """The frozen domains. Unset: all."""
    weekly: Annotated[str | None, Field(examples=["fri 18:00 - mon 09:00"])] = None
    """A span of every week. Give either this, or `from` and `until`."""
    start: Annotated[Moment | None, Field(alias="from", examples=["2026-12-24 18:00"])] = None
    """Begin: a date or a date and time, as text or as TOML's own. A time that clocks skip is refused."""
    until: Annotated[Moment | None, Field(examples=["2026-12-26"])] = None
    """End. A date alone includes that day."""
    time_zone: Annotated[str | None, Field(examples=["Asia/Seoul"])] = None
    """An IANA time zone; required."""

    @model_validator(mode="after")
    def _one_time(self) -> "FreezeTable":
        once = self.start is not None or self.until is not None
        if once == (self.weekly is not None) or (once and None in (self.start, self.until)):
            remedy = 'Write weekly = "fri 18:00 - mon 09:00", or from and until.'
            raise InvalidValue("says not when, or says it twice", remedy)
        self.when()
        return self

    def when(self) -> Weekly | Span:
        """Raises `InvalidValue`."""
        zone = self.zone()
        if self.weekly is not None:
            start, end = week_span(self.weekly)
            return Weekly(start=start, end=end, zone=zone)
        first = moment(self.start or "", zone=zone, is_end=False)
        last = moment(self.until or "", zone=zone, is_end=True)
        if last <= first:
            raise InvalidValue(
                f'ends ("{self.until}") before it begins ("{self.start}")', "Exchange the two."
            )
        return Span(start=first, end=last)

    def zone(self) -> ZoneInfo:
        """Raises `InvalidValue`."""
        if self.time_zone is None:
            raise InvalidValue("names times without a time zone", 'Add time_zone = "Asia/Seoul".')
        return time_zone(self.time_zone)

    def to_freeze(self) -> ConfiguredFreeze:
        """The freeze."""
        domains = frozenset(self.domains) if self.domains is not None else None
        freeze = Freeze(reason=self.reason, when=self.when())
        return ConfiguredFreeze(freeze=freeze, domains=domains, zone=self.zone())
