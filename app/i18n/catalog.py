"""What people read, by language: `texts("card.header.waiting", domain="order")`."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.units import format_unit

from app.i18n.templates import BadCatalog, Catalog, differences, read_catalog

LocaleName = Literal["en", "ko"]

LOCALES: Final[tuple[LocaleName, ...]] = ("en", "ko")


class NoSuchText(LookupError):
    """A key that the catalog lacks, or a field of a template that was not given."""


class Texts:
    """The texts of one language. A field's value is inserted as it is, also if it contains braces."""

    def __init__(self, catalog: Catalog, *, locale: LocaleName) -> None:
        self.locale: Final = locale
        self._singles = catalog.singles
        self._plurals = catalog.plurals
        self._babel = Locale.parse(locale)

    @staticmethod
    @cache
    def of(locale: LocaleName) -> "Texts":
        """The texts of a language, read once and checked against the others. Raises `BadCatalog`."""
        return Texts(_catalogs()[locale], locale=locale)

    def __call__(self, key: str, /, **fields: object) -> str:
        """The sentence. Fields that it does not use are ignored. Raises `NoSuchText`."""
        template = self._singles.get(key)
        if template is None:
            raise NoSuchText(f"{self.locale}: {key}")
        return self._filled(key, template, fields)

    def plural(self, key: str, /, *, count: int, **fields: object) -> str:
        """The sentence in the form that the language uses for `count`. Raises `NoSuchText`."""
        forms = self._plurals.get(key)
        if forms is None:
            raise NoSuchText(f"{self.locale}: {key} has no plural forms")
        return self._filled(key, forms[self._babel.plural_form(count)], {**fields, "count": count})

    def duration(self, length: timedelta) -> str:
        """Short, rounded down: "1 hr, 5 min", "42분"; seconds only below a minute."""
        seconds = max(int(length.total_seconds()), 0)
        minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86_400
        parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
        shown = [(amount, unit) for amount, unit in parts if amount][:2] or [(seconds, "second")]
        words = [
            format_unit(amount, f"duration-{unit}", length="short", locale=self._babel)
            for amount, unit in shown
        ]
        return format_list(words, style="unit-short", locale=self._babel)

    def moment(self, at: datetime, zone: tzinfo) -> str:
        """In full, in local time of the zone: "Tuesday, November 24, 2026, 18:00", "2026년 11월 24일 화요일 18:00"."""
        local = at.astimezone(zone)
        day = format_date(local.date(), format="full", locale=self._babel)
        return self("freeze.moment", day=day, clock=f"{local:%H:%M}")

    def _filled(self, key: str, template: str, fields: Mapping[str, object]) -> str:
        try:
            return template.format_map(fields)
        except KeyError as exc:
            raise NoSuchText(f"{self.locale}: {key} needs the field {exc}") from None


def known(locale: str | None) -> LocaleName:
    """The language for a Slack locale (`ko-KR`); English for all languages that are not supported."""
    language = (locale or "").replace("_", "-").partition("-")[0].lower()
    return "ko" if language == "ko" else "en"


@cache
def _catalogs() -> Mapping[LocaleName, Catalog]:
    folder = files("app.i18n")
    read = {name: read_catalog((folder / f"{name}.toml").read_text("utf-8"), locale=name) for name in LOCALES}
    first = LOCALES[0]
    problems = [
        problem
        for other in LOCALES[1:]
        for problem in differences(read[first], read[other], names=(first, other))
    ]
    if problems:
        raise BadCatalog(*problems)
    return read
