"""What the role of this connection may do, beside what the service needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.db.database import Database
from app.db.privileges import RUNTIME_PRIVILEGES

SELECT_ROLE: Final = """
SELECT r.rolname AS role, r.rolsuper AS superuser, has_schema_privilege(current_schema(), 'CREATE') AS creates,
    r.rolcreaterole AS creates_roles, r.rolcreatedb AS creates_databases, r.rolreplication AS replicates
FROM pg_roles r WHERE r.rolname = current_user
"""
SELECT_TABLES: Final = """
SELECT c.relname AS table_name, pg_has_role(c.relowner, 'USAGE') AS owned, array(
    SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
        || CASE WHEN current_setting('server_version_num')::int >= 170000 THEN ARRAY['MAINTAIN'] ELSE '{}' END) p
    WHERE has_table_privilege(c.oid, p)
) AS privileges
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r' AND c.relname = ANY(:tables)
ORDER BY c.relname
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RolePrivileges:
    """Tables by privilege; `other`: what the role may create or do outside of tables."""

    role: str
    superuser: bool
    owned: Sequence[str]
    missing: Mapping[str, Sequence[str]]
    excess: Mapping[str, Sequence[str]]
    other: Sequence[str]


async def role_privileges(database: Database) -> RolePrivileges:
    """Through memberships, too. Only of this release's tables. Raises `DatabaseUnavailable`."""
    (role,) = await database.execute(SELECT_ROLE)
    tables = await database.execute(SELECT_TABLES, tables=list(RUNTIME_PRIVILEGES))
    has = {row.table_name: frozenset(row.privileges) for row in tables}
    return RolePrivileges(
        role=role.role,
        superuser=role.superuser,
        owned=[row.table_name for row in tables if row.owned],
        missing=_by_privilege({table: RUNTIME_PRIVILEGES[table] - has[table] for table in has}),
        excess=_by_privilege({table: has[table] - RUNTIME_PRIVILEGES[table] for table in has}),
        other=_other(role),
    )


def _by_privilege(tables: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    privileges = sorted(frozenset[str]().union(*tables.values()))
    return {each: [table for table, of_it in tables.items() if each in of_it] for each in privileges}


def _other(role: Any) -> list[str]:
    able = {
        "create tables": role.creates,
        "create roles": role.creates_roles,
        "create databases": role.creates_databases,
        "replicate": role.replicates,
    }
    return [what for what, can in able.items() if can]
