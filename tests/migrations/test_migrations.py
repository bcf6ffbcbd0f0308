"""Up, down, and up again, on a database with something in it; and together, from several replicas at once."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from app.db.engine import sqlalchemy_url
from app.db.migrate import migrate, newest
from app.db.tables import metadata
from tests.db.sample_rows import fill


def test_the_models_are_what_the_migrations_make(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_a_filled_database_goes_down_and_up_again_step_by_step(empty_url: str) -> None:
    assert migrate(empty_url) == newest()
    fill(empty_url)
    assert migrate(empty_url, to="0001") == "0001"
    with psycopg.connect(empty_url) as connection:
        kept = connection.execute("SELECT count(*) FROM gates").fetchone()
        gone = connection.execute("SELECT to_regclass('audit_events')").fetchone()
    assert kept == (4,)
    assert gone == (None,)
    assert migrate(empty_url) == newest()
    assert migrate(empty_url, to="base") == "base"
    with psycopg.connect(empty_url) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        functions = connection.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
    assert left == [("alembic_version",)]
    assert functions == []


def test_replicas_that_start_together_migrate_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as replicas:
        reached = list(replicas.map(lambda _: migrate(empty_url), range(4)))
    assert reached == [newest()] * 4
