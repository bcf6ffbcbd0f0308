"""A language's TOML file as flat, checked templates."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from babel import Locale

PLURAL_FORMS: Final = frozenset({"zero", "one", "two", "few", "many", "other"})


class BadCatalog(Exception):
    """A catalog with problems: one line each, naming its key."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """Templates by dotted key; those with plural forms apart, by form."""

    singles: Mapping[str, str]
    plurals: Mapping[str, Mapping[str, str]]
    fields: Mapping[str, frozenset[str]]
    """The fields that each key may be given."""


@dataclass(slots=True)
class _Reading:
    locale: str
    singles: dict[str, str] = field(default_factory=dict)
    plurals: dict[str, dict[str, str]] = field(default_factory=dict)
    fields: dict[str, frozenset[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def wrong(self, key: str, what: str) -> None:
        self.problems.append(f"{self.locale}: {key}: {what}")


def read_catalog(text: str, *, locale: str) -> Catalog:
    """A table that holds only plural forms, `other` among them, is one text. Raises `BadCatalog`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise BadCatalog(f"{locale}: is not TOML: {exc}") from None
    reading = _Reading(locale)
    for key, value in _leaves(tables):
        _take(reading, key, value)
    if reading.problems:
        raise BadCatalog(*reading.problems)
    return Catalog(singles=reading.singles, plurals=reading.plurals, fields=reading.fields)


def differences(one: Catalog, other: Catalog, *, names: tuple[str, str]) -> list[str]:
    """Differences between two languages: keys that one lacks, and fields that one does not use."""
    problems = []
    for mine, theirs, name in ((one, other, names[1]), (other, one, names[0])):
        problems += [f"{name}: {key}: is missing" for key in mine.fields if key not in theirs.fields]
    for key in one.fields.keys() & other.fields.keys():
        if (key in one.plurals) != (key in other.plurals):
            problems.append(f"{names[1]}: {key}: has plural forms in one language only")
        elif one.fields[key] != other.fields[key]:
            fields = " and ".join(
                f"{name} has {', '.join(sorted(catalog.fields[key])) or 'none'}"
                for name, catalog in zip(names, (one, other), strict=True)
            )
            problems.append(f"{names[1]}: {key}: other fields: {fields}")
    return sorted(problems)


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and not _is_plural(value):
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _is_plural(table: Mapping[str, Any]) -> bool:
    return "other" in table and table.keys() <= PLURAL_FORMS


def _take(reading: _Reading, key: str, value: object) -> None:
    if key in reading.fields:
        reading.wrong(key, "stands twice")
        return
    forms = value if isinstance(value, dict) else {"": value}
    found: set[str] = set()
    for form, template in forms.items():
        found |= _fields(reading, f"{key}.{form}".rstrip("."), template)
    if isinstance(value, dict):
        # All plural forms of the language are needed, or some count would have no text; "one" may omit the number.
        needed = {*Locale.parse(reading.locale).plural_form.tags, "other"}
        if forms.keys() != needed:
            reading.wrong(key, f"has the forms {', '.join(forms)}; needs {', '.join(sorted(needed))}")
        reading.plurals[key] = {form: str(template) for form, template in forms.items()}
        found.add("count")
    else:
        reading.singles[key] = str(value)
    reading.fields[key] = frozenset(found)


def _fields(reading: _Reading, key: str, template: object) -> set[str]:
    """The names in braces: plain ones only, so that a template cannot access attributes of a value."""
    if not isinstance(template, str) or not template.strip():
        reading.wrong(key, "is no text" if not isinstance(template, str) else "is empty")
        return set()
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as exc:
        reading.wrong(key, f"is no template: {exc}; write a literal brace twice")
        return set()
    found = set()
    for _, name, spec, conversion in parsed:
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            shown = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            reading.wrong(key, f"{{{shown}}} is no plain field; write {{name}}")
        found.add(name)
    return found
