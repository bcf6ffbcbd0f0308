"""docs/configuration.md is what `make docs` writes, and every example in it is accepted."""

import tomllib
from typing import Final

import pytest
from pydantic import BaseModel

from app.config.environment import Settings
from app.config.schema import DomainTable, SlackTable, toml_value
from app.config.tables.freezes import FreezeTable
from app.config.tables.policy_tables import PolicyTable, RequireTable, WhenTable
from app.config.tables.probes import JsonTable, ProbesTable, ProbeTable
from tests.docs.configuration_reference import REFERENCE, reference

TABLES: Final = (
    SlackTable,
    PolicyTable,
    RequireTable,
    WhenTable,
    DomainTable,
    ProbesTable,
    ProbeTable,
    JsonTable,
    FreezeTable,
)
COMPANIONS: Final[dict[type[BaseModel], list[dict[str, object]]]] = {
    WhenTable: [{"shift": ["canary"], "approvals": 2, "time_zone": "UTC"}],
    FreezeTable: [
        {"weekly": "sat 00:00 - sun 00:00", "time_zone": "UTC"},
        {"from": "2026-12-01", "until": "2026-12-31", "time_zone": "UTC"},
    ],
    RequireTable: [{"from": "S0DBA"}],
}
"""Keys without which an example of another key makes no sense; one of the sets must do."""


def test_the_page_is_what_make_docs_writes() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "stale: run `make docs`"


def test_every_variable_and_every_key_is_described_and_has_an_example() -> None:
    for table in (Settings, *TABLES):
        for name, field in table.model_fields.items():
            assert field.description, (table.__name__, name)
            is_list_of_tables = name in {"when", "probe"}
            assert field.examples or is_list_of_tables, (table.__name__, name)


@pytest.mark.parametrize("table", TABLES)
def test_every_example_is_accepted(table: type[BaseModel]) -> None:
    required = {
        field.alias or name: (field.examples or [None])[0]
        for name, field in table.model_fields.items()
        if field.is_required()
    }
    for name, field in table.model_fields.items():
        if field.examples:
            own = tomllib.loads(f"key = {toml_value(field.examples[0])}")["key"]
            errors = []
            for companions in COMPANIONS.get(table, [{}]):
                try:
                    table.model_validate({**required, **companions, field.alias or name: own})
                    break
                except ValueError as exc:
                    errors.append(exc)
            else:
                raise AssertionError((table.__name__, name, errors))
