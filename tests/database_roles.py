"""Two database roles: one that owns the database and is no superuser, and the one that the service runs as."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import uuid4

import psycopg
from psycopg import sql

from app.db.embedded.postgres import EmbeddedPostgres
from app.db.migrate import migrate
from tests.polling import until

OWNER_PASSWORD: Final = "owner/p@ss:word"
PASSWORD: Final = "runtime/p@ss:word"
PASSWORDS: Final = (OWNER_PASSWORD, PASSWORD, quote(OWNER_PASSWORD, safe=""), quote(PASSWORD, safe=""))
HBA_LINE: Final = "local all all scram-sha-256\n"


@dataclass(frozen=True, kw_only=True)
class TwoRoles:
    """One database, by each role. `admin_url`: the same by the server's superuser."""

    owner: str
    role: str
    owner_url: str
    url: str
    admin_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url, "DATABASE_OWNER_URL": self.owner_url}

    def migrate(self, *, to: str = "head") -> str:
        return migrate(self.owner_url, to=to, runtime_url=self.url)


@contextmanager
def two_roles(server: EmbeddedPostgres, *, with_runtime_role: bool = True) -> Iterator[TwoRoles]:
    """An empty database that the owner owns. Database and roles are dropped afterwards."""
    _accept_passwords(server)
    name = f"roles_{uuid4().hex}"
    admin_url = server.create_database(name)
    owner, role = f"owner_{name}", f"runtime_{name}"
    with psycopg.connect(server.url, autocommit=True) as admin:
        _create(admin, owner, OWNER_PASSWORD, creates_roles=True)
        if with_runtime_role:
            _create(admin, role, PASSWORD)
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*map(sql.Identifier, (name, owner))))
    try:
        yield TwoRoles(
            owner=owner,
            role=role,
            owner_url=_url(admin_url, owner, OWNER_PASSWORD),
            url=_url(admin_url, role, PASSWORD),
            admin_url=admin_url,
        )
    finally:
        with psycopg.connect(server.url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            for each in (role, owner):
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(each)))


def _create(admin: psycopg.Connection, role: str, password: str, *, creates_roles: bool = False) -> None:
    statement = sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
    attribute = sql.SQL("CREATEROLE" if creates_roles else "NOCREATEROLE")
    admin.execute(statement.format(sql.Identifier(role), attribute, sql.Literal(password)))


def _url(admin_url: str, role: str, password: str) -> str:
    _, _, place = admin_url.partition("@")
    return f"postgresql://{role}:{quote(password, safe='')}@{place}"


def _accept_passwords(server: EmbeddedPostgres) -> None:
    """The embedded server lets in its own superuser only; here other roles come in by password."""
    with psycopg.connect(server.url, autocommit=True) as admin:
        row = admin.execute("SHOW hba_file").fetchone()
        assert row is not None
        rules = Path(row[0])
        if HBA_LINE in rules.read_text():
            return
        before = _loaded_at(server)
        with rules.open("a") as file:
            file.write(HBA_LINE)
        admin.execute("SELECT pg_reload_conf()")
    until(lambda: _loaded_at(server) > before)


def _loaded_at(server: EmbeddedPostgres) -> datetime:
    """When the server read its configuration; a new session knows what the server knows."""
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT pg_conf_load_time()").fetchone()
    assert row is not None
    at: datetime = row[0]
    return at
