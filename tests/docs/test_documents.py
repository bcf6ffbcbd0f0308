"""What the project's pages name exists: files, links, `make` targets, commands, options and variables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import typer.main
from prometheus_client.metrics import MetricWrapperBase

import app.observability.metrics
from app.cli.main import app as command_line
from app.config.environment import Settings
from tests.docs.documents import ROOT, anchors, code, links, pages

PAGES: Final = pages()
EVERY_PAGE: Final = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

OTHER_VARIABLES: Final = {
    "SWITCHGATE_URL",  # the hook Lambda's own
    "SWITCHGATE_HOOK_KEY_ID",
    "SWITCHGATE_HOOK_SECRET",
    "SWITCHGATE_HOOK_SECRET_ARN",
}
NOT_A_METRIC: Final = {"switchgate_owner", "switchgate_service"}  # the database roles in docs/permissions.md
FOLDERS: Final = ("app", "docs", "docker", "infra", "migrations", "tests")
OUTSIDE: Final = ("switchgate.toml", "~", "./", "/", "http", "docker/.env", "docker/config/", "mutants")
"""Beginnings of paths that are not files of the checkout."""


def test_the_pages_are_found() -> None:
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {"README.md", "ARCHITECTURE.md", "docs/configuration.md", "app/README.md"} <= names


@EVERY_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@EVERY_PAGE
def test_files_that_are_named_exist(page: Path) -> None:
    for name in code(page):
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*\.(py|md|toml|yaml|yml|sh)|([\w.-]+/)+", name):
            continue
        if name.startswith(OUTSIDE) or ".example.com" in name:
            continue
        places = (page.parent / name, ROOT / name, ROOT / "app" / name, ROOT / "tests" / name)
        assert any(place.exists() for place in places) or _is_unambiguous(name), name


def _is_unambiguous(name: str) -> bool:
    """A bare name of a file or folder may stand for one below the folder that the page is about."""
    bare = "/" not in name.removesuffix("/")
    return bare and any(any((ROOT / top).rglob(name)) for top in FOLDERS)


@EVERY_PAGE
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for text in code(page):
        for target in re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z-]+)$", text):
            assert target in targets, text


@EVERY_PAGE
def test_commands_and_their_options_exist(page: Path) -> None:
    known = dict(_commands(typer.main.get_command(command_line), "switchgate"))
    for text in code(page):
        found = re.match(r"(?:.*[\s/])?switchgate((?: [a-z]+)*)((?: .*)?)$", text.partition("  #")[0])
        if found is None:
            continue
        words = ["switchgate", *found[1].split()]
        named = next(
            (known[" ".join(words[:length])] for length in (3, 2, 1) if " ".join(words[:length]) in known),
            None,
        )
        assert named is not None, text
        assert len(words) == 1 or named.name != "switchgate", text
        options = {option for parameter in named.params for option in parameter.opts}
        for option in re.findall(r"(?<=\s)--[a-z-]+", found[2]):
            assert option in options, text


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The commands that Typer builds; its classes are not public."""
    yield name, command
    for word, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, f"{name} {word}")


@EVERY_PAGE
def test_environment_variables_exist(page: Path) -> None:
    known = OTHER_VARIABLES.union(
        *(_variables(field.validation_alias) for field in Settings.model_fields.values())
    )
    for text in code(page):
        for name in re.findall(r"\b(?:SWITCHGATE|SLACK|DATABASE)_[A-Z_]*[A-Z]\b", text):
            assert name in known, name


def _variables(alias: object) -> set[str]:
    return {str(choice) for choice in getattr(alias, "choices", [alias])}


@EVERY_PAGE
def test_metrics_exist(page: Path) -> None:
    described = [
        family.name
        for metric in vars(app.observability.metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for family in metric.describe()
    ]
    known = {*NOT_A_METRIC, *described, *(f"{name}_total" for name in described)}
    assert "switchgate_hooks_total" in known
    for text in code(page):
        for name in re.findall(r"\bswitchgate_[a-z_]*[a-z]\b", text):
            assert name in known, name
