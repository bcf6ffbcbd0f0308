"""A Postgres that takes its time over a commit: what a test does meanwhile, it does to a COMMIT on its way."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SLOW = """
CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER be_slow AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION be_slow()
"""
COMMITTING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


@contextmanager
def slow_commits(url: str, table: str) -> Iterator[psycopg.Connection]:
    """From now on whatever inserts into `table` is long in committing; `committing()` says whether something does."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(SLOW.format(table=table))
        yield admin


def committing(admin: psycopg.Connection) -> bool:
    return admin.execute(COMMITTING).fetchone() is not None
