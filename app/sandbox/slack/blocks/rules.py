"""Validation rules for JSON values; together they are Block Kit's schema.

A rule reports problems in the words of Slack's own validator: `[ERROR] … [json-pointer:/blocks/0/text]`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Report = Callable[[str, str], None]
"""Takes what is wrong, and where (a JSON pointer)."""

Rule = Callable[[object, str, Report], None]


def string(max_length: int, *, min_length: int = 1) -> Rule:
    """Lengths in characters, both allowed."""

    def check(value: object, at: str, report: Report) -> None:
        if not isinstance(value, str):
            report("must provide a string", at)
        elif len(value) > max_length:
            report(f"must be less than {max_length + 1} characters", at)
        elif len(value) < min_length:
            report(f"must be more than {min_length - 1} characters", at)

    return check


def http_url(max_length: int) -> Rule:
    length = string(max_length)

    def check(value: object, at: str, report: Report) -> None:
        length(value, at, report)
        if isinstance(value, str) and value and not value.startswith(("https://", "http://")):
            report("must be a valid url", at)

    return check


def boolean(value: object, at: str, report: Report) -> None:
    if not isinstance(value, bool):
        report("must provide a boolean", at)


def integer(minimum: int, maximum: int) -> Rule:
    def check(value: object, at: str, report: Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            report("must provide an integer", at)
        elif not minimum <= value <= maximum:
            report(f"must be between {minimum} and {maximum}", at)

    return check


def one_of(*allowed: str) -> Rule:
    def check(value: object, at: str, report: Report) -> None:
        if value not in allowed:
            report(f"must be one of: {', '.join(allowed)}", at)

    return check


def items(rule: Rule, *, max_items: int, min_items: int = 1) -> Rule:
    def check(value: object, at: str, report: Report) -> None:
        if not isinstance(value, list):
            report("must provide an array", at)
            return
        if len(value) > max_items:
            report(f"no more than {max_items} items allowed", at)
        if len(value) < min_items:
            report(f"must provide at least {min_items} items", at)
        for index, item in enumerate(value):
            rule(item, f"{at}/{index}", report)

    return check


def anything(_value: object, _at: str, _report: Report) -> None:
    """Not validated."""


def object_with(known: Mapping[str, Rule], *, required: tuple[str, ...] = ()) -> Rule:
    """An object with these fields and no others, as Slack refuses what it does not know."""

    def check(value: object, at: str, report: Report) -> None:
        if not isinstance(value, dict):
            report("must provide an object", at)
            return
        for name in required:
            if name not in value:
                report(f"missing required field: {name}", at)
        for name, inner in value.items():
            rule = known.get(name)
            if rule is None:
                report(f"invalid additional property: {name}", at)
            else:
                rule(inner, f"{at}/{name}", report)

    return check


def by_type(kinds: Mapping[str, Rule]) -> Rule:
    """An object whose `type` selects its rule."""

    def check(value: object, at: str, report: Report) -> None:
        if not isinstance(value, dict):
            report("must provide an object", at)
            return
        kind = value.get("type")
        rule = kinds.get(kind) if isinstance(kind, str) else None
        if rule is None:
            report(f"unsupported type: {kind}", f"{at}/type")
        else:
            rule(value, at, report)

    return check


def also(rule: Rule, extra: Callable[[dict[str, Any]], str | None]) -> Rule:
    """A rule, and a condition between the fields of an object: `extra` gives what is wrong."""

    def check(value: object, at: str, report: Report) -> None:
        rule(value, at, report)
        wrong = extra(value) if isinstance(value, dict) else None
        if wrong:
            report(wrong, at)

    return check


IDENTIFIER: Final = string(255)
