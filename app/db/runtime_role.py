"""The role that the service runs as: it owns nothing, and `switchgate migrate` grants it what it needs."""

from collections.abc import Iterator, Mapping
from typing import Final
from uuid import uuid4

import psycopg
from sqlalchemy import URL, Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from app.db.engine import CONNECT_TIMEOUT_SECONDS, sqlalchemy_url
from app.db.privileges import RUNTIME_PRIVILEGES

# Only tables that are there: a downgraded database has fewer.
SELECT_GRANTED: Final = text("""
SELECT c.relname AS table_name, array_remove(array_agg(a.privilege_type::text), NULL) AS privileges
FROM pg_class c
LEFT JOIN LATERAL aclexplode(c.relacl) a ON a.grantee = (SELECT r.oid FROM pg_roles r WHERE r.rolname = :role)
WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r' AND c.relname = ANY(:tables)
GROUP BY c.relname ORDER BY c.relname
""")
SELECT_USAGE: Final = text("SELECT has_schema_privilege(:role, current_schema(), 'USAGE')")
SELECT_SCHEMA: Final = text("SELECT current_schema()")
SELECT_EXISTS: Final = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")
SELECT_SELF: Final = text("SELECT current_user")
SELECT_OWNS: Final = text("""
SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r' AND r.rolname = :role
)
""")
LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")


class RuntimeRoleError(Exception):
    """The address of the service's role cannot be used beside the owner's; the message says what to do."""


def runtime_role(connection: Connection, url: str, *, create: bool) -> str | None:
    """The role that `url` names, in the database of the owner's connection; None: it is the owner itself.

    `create` makes a role that does not exist. Raises `RuntimeRoleError`. No transaction is left open.
    """
    address = sqlalchemy_url(url)
    role = address.username
    if not role:
        raise RuntimeRoleError(
            "names no role; with DATABASE_OWNER_URL it names the one that the service uses"
        )
    if not connection.execute(SELECT_EXISTS, {"role": role}).scalar_one():
        if not create:
            advice = "Run switchgate migrate --create-role, or, as a role that may create others"
            raise RuntimeRoleError(_no_such_role(connection, role, address, advice))
        _create_role(connection, role, address)
    _check_same_database(connection, address)
    is_owner = connection.execute(SELECT_SELF).scalar_one() == role
    if not is_owner and connection.execute(SELECT_OWNS, {"role": role}).scalar_one():
        raise RuntimeRoleError(
            f"its role {role} owns the tables itself. Leave DATABASE_OWNER_URL unset; or name that role in it, and a"
            " new one in DATABASE_URL"
        )
    connection.commit()
    return None if is_owner else role


def _no_such_role(connection: Connection, role: str, address: URL, advice: str) -> str:
    password = " PASSWORD '…'" if address.password else ""
    return f"there is no role {role}. {advice}: CREATE ROLE {_quote(connection, role)} LOGIN{password}"


def _create_role(connection: Connection, role: str, address: URL) -> None:
    """With the password's SCRAM verifier: the server logs statements, and must not learn the password by them."""
    login = f"CREATE ROLE {_quote(connection, role)} LOGIN"
    if address.password:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 - for the type checker: it is our only driver
        verifier = driver.pgconn.encrypt_password(
            str(address.password).encode(), role.encode(), b"scram-sha-256"
        )
        login = f"{login} PASSWORD '{verifier.decode()}'"
    try:
        connection.exec_driver_sql(login)
        connection.commit()
    except DBAPIError as exc:
        # `from None`: SQLAlchemy's own message repeats the statement.
        advice = (
            f"DATABASE_OWNER_URL's could not create it ({_first_line(exc)}). As one that may create roles"
        )
        raise RuntimeRoleError(_no_such_role(connection, role, address, advice)) from None


def _check_same_database(connection: Connection, address: URL) -> None:
    """By an advisory lock, which counts within one database: names of hosts prove nothing, and a standby is another."""
    key = {"key": str(uuid4())}
    connection.execute(LOCK, key)
    engine = create_engine(
        address,
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
        hide_parameters=True,
    )
    try:
        with engine.connect() as other:
            same = not other.execute(TRY_LOCK, key).scalar_one()
    except DBAPIError as exc:
        raise RuntimeRoleError(f"the database cannot be used: {_first_line(exc)}") from None
    finally:
        engine.dispose()
    if not same:
        raise RuntimeRoleError(
            "is another database than DATABASE_OWNER_URL's: both name one database, by two roles"
        )


def _first_line(exc: DBAPIError) -> str:
    return str(exc.orig).splitlines()[0]


def grant_runtime_privileges(connection: Connection, role: str) -> None:
    """Makes the role's privileges those of `RUNTIME_PRIVILEGES`, in the connection's transaction.

    Writes nothing where they are already. Tables that this release does not know stay as they are.
    """
    quoted = _quote(connection, role)
    if not connection.execute(SELECT_USAGE, {"role": role}).scalar_one():
        schema = _quote(connection, connection.execute(SELECT_SCHEMA).scalar_one())
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
    granted = connection.execute(SELECT_GRANTED, {"role": role, "tables": list(RUNTIME_PRIVILEGES)})
    for statement in _changes({row.table_name: frozenset(row.privileges) for row in granted}, quoted):
        connection.exec_driver_sql(statement)


def _changes(granted: Mapping[str, frozenset[str]], quoted: str) -> Iterator[str]:
    for table, privileges in granted.items():
        needed = RUNTIME_PRIVILEGES[table]
        if excess := privileges - needed:
            yield f"REVOKE {', '.join(sorted(excess))} ON {table} FROM {quoted}"
        if missing := needed - privileges:
            yield f"GRANT {', '.join(sorted(missing))} ON {table} TO {quoted}"


def _quote(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
