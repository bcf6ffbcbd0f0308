"""A gate's card wants the gate's version: otherwise a card drawn as it is counts as outdated, and is due to nobody."""

import pytest

from app.db.database import Database
from tests.db.writers import WRITERS, prepare_writer

BEHIND = """
SELECT gates.id, gates.version, cards.wanted_version
  FROM cards JOIN gates ON gates.id = cards.gate_id WHERE gates.version <> cards.wanted_version
"""


@pytest.mark.parametrize("name", WRITERS)
async def test_whoever_raises_a_gates_version_raises_the_version_its_card_wants(
    database: Database, name: str
) -> None:
    write = await prepare_writer(name, database)
    assert await database.execute(BEHIND) == []

    await write()

    assert await database.execute(BEHIND) == []
