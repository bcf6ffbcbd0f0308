"""Makes COMMITs slow, so that a test can act while a COMMIT is on its way."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

GATE = "4711, 1"
SLOW = f"""
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('lock_timeout', '0', true);
    PERFORM pg_advisory_xact_lock_shared({GATE});
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER be_slow AFTER INSERT ON {{table}} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION be_slow()
"""
COMMITTING = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 4711 AND NOT granted"


@contextmanager
def slow_commits(url: str, table: str) -> Iterator[psycopg.Connection]:
    """Transactions that insert into `table` commit when the block ends; `committing()` says whether one waits.

    Keep the block shorter than the statement time-out, some seconds.
    """
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(SLOW.format(table=table))
        admin.execute(f"SELECT pg_advisory_lock({GATE})")
        yield admin


def committing(admin: psycopg.Connection) -> bool:
    return admin.execute(COMMITTING).fetchone() is not None
