"""Migration 0029: sentences that name why an intervention failed become codes, and the same sentences again."""

from typing import Final

import psycopg
import pytest

from app.db.migrate import migrate
from app.flow.audit_events import EARLIER_PROBLEMS
from app.flow.undo.intervention import InterventionFailure

BEFORE: Final = "0028"
CODES: Final = {
    **{sentence: (code.value, None) for sentence, code in EARLIER_PROBLEMS.items()},
    "another deployment of this group is under way (d-OTHER)": ("another_deployment_active", "d-OTHER"),
    "another deployment of this group is under way ()": ("another_deployment_active", ""),
}
OTHERS: Final = (
    None,
    "",
    "AccessDeniedException",
    "d-BACK: Failed: HEALTH_CONSTRAINTS",
    "an undo was asked for instead, said AWS",
    "CodeDeploy names no previous revision (cut off",
    "Denied (an undo was asked for instead)",
)
INSERT: Final = """
WITH switch AS (
    INSERT INTO switches (account, region, deployment_id, first_seen_at)
    VALUES ('210987654321', 'ap-northeast-2', %(deployment)s, now()) RETURNING id
)
INSERT INTO interventions (id, switch_id, kind, phase, requested_by, requested_name, reason, requested_at, problem,
                           finished_at)
SELECT gen_random_uuid(), id, 'stop', 'failed', 'U02OLU', 'olu', 'orders fail', now(), %(problem)s, now() FROM switch
"""
PROBLEMS: Final = """
SELECT {columns} FROM interventions i JOIN switches s ON s.id = i.switch_id ORDER BY s.deployment_id
"""


def problems(connection: psycopg.Connection, columns: str) -> list[tuple[str | None, ...]]:
    return connection.execute(PROBLEMS.format(columns=columns).encode()).fetchall()


def test_sentences_become_codes_and_the_same_sentences_again(empty_url: str) -> None:
    migrate(empty_url, to=BEFORE)
    stored = [*CODES, *OTHERS]
    with psycopg.connect(empty_url, autocommit=True) as connection:
        for place, problem in enumerate(stored):
            connection.execute(INSERT, {"deployment": f"d-{place:09}", "problem": problem})

        migrate(empty_url, to="0029")

        found = problems(connection, "problem_code, problem")
        assert found == [*CODES.values(), *((None, problem) for problem in OTHERS)]

        migrate(empty_url, to=BEFORE)

        assert problems(connection, "problem") == [(problem,) for problem in stored]


def test_the_database_knows_every_code_and_no_other(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(INSERT, {"deployment": "d-000000001", "problem": None})
        for code in InterventionFailure:
            connection.execute("UPDATE interventions SET problem_code = %s", [code])
        with pytest.raises(psycopg.errors.CheckViolation, match="problem_code_is_known"):
            connection.execute("UPDATE interventions SET problem_code = 'bad_luck'")
