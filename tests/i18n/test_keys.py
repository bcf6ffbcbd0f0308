"""Every sentence in the catalogs is said somewhere, and every sentence that is asked for is there."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.i18n.catalog import LOCALES, LocaleName, _catalogs
from app.sandbox.slack.rendering.mrkdwn import mrkdwn_html
from app.sandbox.slack.rendering.viewer import Viewer

APP = Path(__file__).parents[2] / "app"
ASKS = re.compile(r"(self\._?)?texts(\.plural)?")


def trees() -> Iterator[ast.AST]:
    """The service's own code; the sandbox has texts of its own."""
    for file in APP.rglob("*.py"):
        if "sandbox" not in file.parts:
            yield ast.parse(file.read_text("utf-8"))


def asked(node: ast.AST) -> Iterator[str]:
    """What a key is written as, as a regular expression: a literal, an f-string, or one of two."""
    match node:
        case ast.Constant(value=str(text)):
            yield re.escape(text)
        case ast.JoinedStr(values=parts):
            yield "".join(
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[a-z_]+" for part in parts
            )
        case ast.IfExp(body=one, orelse=other):
            yield from asked(one)
            yield from asked(other)
        case _:
            return


def keys_asked_for() -> set[str]:
    """The first arguments of calls to `texts`."""
    return {
        pattern
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and ASKS.fullmatch(ast.unparse(node.func))
        for pattern in asked(node.args[0])
    }


def everything_written() -> set[str]:
    """Every text in the code, since a key may be looked up in a table first."""
    return {
        pattern
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for pattern in asked(node)
    }


def test_every_text_that_is_asked_for_is_there() -> None:
    keys = _catalogs()["en"].fields.keys()
    patterns = keys_asked_for()
    assert r"card\.header\.[a-z_]+" in patterns
    assert not [pattern for pattern in patterns if not any(re.fullmatch(pattern, key) for key in keys)]


def test_every_text_that_is_there_is_asked_for() -> None:
    written = {pattern for pattern in everything_written() if re.match(r"[a-z_]+\\\.", pattern)}
    written |= {pattern for pattern in keys_asked_for() if re.search("[a-z]", pattern.replace("[a-z_]+", ""))}
    # A table may hold a key's beginning, to which the code adds the end.
    patterns = [re.compile(rf"{pattern}([._][a-z_]+)?") for pattern in written]
    keys = _catalogs()["en"].fields.keys()
    assert not [key for key in keys if not any(pattern.fullmatch(key) for pattern in patterns)]


@pytest.mark.parametrize("locale", LOCALES)
def test_what_is_marked_bold_is_drawn_bold(locale: LocaleName) -> None:
    """Slack makes bold only what no letter touches from outside, and Korean particles do."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    viewer = Viewer(user="U1", locale=locale, zone=UTC, now=now, users={}, groups={}, channels={})
    catalog = _catalogs()[locale]
    every = {
        **catalog.singles,
        **{f"{key}.{form}": text for key, forms in catalog.plurals.items() for form, text in forms.items()},
    }
    shown = {key: mrkdwn_html(re.sub(r"\{\w+\}", "x", text), viewer=viewer) for key, text in every.items()}
    assert not [key for key, text in shown.items() if "*" in text]
