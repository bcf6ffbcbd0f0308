"""Down and up again on a database whose gates were approved on the newer grounds, with checks and freezes in it."""

import psycopg

from app.db.migrate import migrate, newest
from tests.db.sample_rows import AWAITING, DECIDED, fill

BROKEN = """
UPDATE gates SET phase = 'decided', verdict = 'approved', basis = 'break_glass', decided_at = now(),
    decided_by = 'U1', decided_name = 'Ana', reason = 'incident', overridden_rules = '[{"rule": "own_switch"}]'
WHERE id = %s
"""
CHECK = """
INSERT INTO checks (account, region, deployment_id, name, state, reported_by, reported_at)
VALUES ('123456789012', 'ap-northeast-2', 'd-1', 'smoke', 'passed', 'api:ci', now())
"""
TOLD = """
INSERT INTO audit_events (at, kind, account, region, deployment_id, actor_kind, actor, seq, hash)
VALUES (now(), 'check_told', '123456789012', 'ap-northeast-2', 'd-1', 'api', 'ci', 0, '')
"""


WITHDRAWN = """
UPDATE gates SET phase = 'decided', verdict = 'withdrawn', decided_at = now(), decided_by = 'U4', decided_name = 'Jun',
    reason = '-' WHERE id = %s
"""


OBSERVED = """
UPDATE gates SET phase = 'decided', verdict = 'approved', basis = 'observe', decided_at = now(),
    decided_name = 'observe', overridden_rules = '[{"rule": "own_switch"}]' WHERE id = %s
"""


NOTE_LOCKS = """
CREATE TABLE noted (statement text, locked boolean);
CREATE FUNCTION note_locks() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO noted SELECT current_query(), EXISTS (
        SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'gates'::regclass AND mode LIKE '%Exclusive%'
    );
END $$;
CREATE EVENT TRIGGER note_locks ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION note_locks()
"""


def test_a_switch_that_passed_in_observe_mode_was_approved_by_nobody_for_an_older_release(
    empty_url: str,
) -> None:
    migrate(empty_url)
    fill(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute(OBSERVED, [AWAITING])
    assert migrate(empty_url, to="0031") == "0031"
    with psycopg.connect(empty_url) as connection:
        row = connection.execute(
            "SELECT basis, decided_by, overridden_rules FROM gates WHERE id = %s", [AWAITING]
        ).fetchone()
    assert row == ("checks", None, None)
    assert migrate(empty_url) == newest()


def test_gates_are_read_and_written_while_their_new_constraints_are_validated(empty_url: str) -> None:
    """Each in a transaction of its own: none begins with a lock that an earlier statement took."""
    migrate(empty_url, to="0031")
    with psycopg.connect(empty_url) as connection:
        connection.execute(NOTE_LOCKS)
    for revision in ("0032", "0031"):
        assert migrate(empty_url, to=revision) == revision
        with psycopg.connect(empty_url) as connection:
            noted = connection.execute("DELETE FROM noted RETURNING statement, locked").fetchall()
        validated = [
            locked for statement, locked in noted if "VALIDATE" in statement.replace("NOT VALID", "")
        ]
        assert validated == [False] * 3, noted


def test_a_withdrawal_is_a_rejection_for_an_older_release(empty_url: str) -> None:
    migrate(empty_url)
    fill(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute(WITHDRAWN, [AWAITING])
    assert migrate(empty_url, to="0024") == "0024"
    with psycopg.connect(empty_url) as connection:
        row = connection.execute("SELECT verdict, decided_by FROM gates WHERE id = %s", [AWAITING]).fetchone()
    assert row == ("rejected", "U4")
    assert migrate(empty_url) == newest()


def test_what_only_the_newer_release_knows_is_no_hindrance(empty_url: str) -> None:
    migrate(empty_url)
    fill(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute(BROKEN, [AWAITING])
        connection.execute(CHECK)
        connection.execute(TOLD)
    assert migrate(empty_url, to="0004") == "0004"
    assert migrate(empty_url) == newest()
    with psycopg.connect(empty_url) as connection:
        bases = connection.execute(
            "SELECT basis, overridden_rules FROM gates WHERE id = ANY(%s) ORDER BY id", [[AWAITING, DECIDED]]
        ).fetchall()
        told = connection.execute("SELECT actor FROM audit_events WHERE actor_kind = 'api'").fetchall()
    assert bases == [("votes", None), ("votes", None)]
    assert told == [("ci",)]
