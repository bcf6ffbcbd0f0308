"""Doctor: what the service's database role can do."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.cli.doctor.findings import Finding, failure, ok, warning
from app.db.database import Database
from app.db.queries.role_privileges import RolePrivileges, role_privileges

WHAT: Final = "database role"
SHOWN: Final = 3
"""So many tables are named of each privilege."""

REMEDY: Final = (
    "Give the service a role of its own, and migrate with DATABASE_OWNER_URL: docs/permissions.md, Postgres."
)


async def look_at_role(database: Database) -> Finding:
    """What the role lacks, and what it can do beyond what the service needs. Raises `DatabaseUnavailable`."""
    return judge_role(await role_privileges(database))


def judge_role(found: RolePrivileges) -> Finding:
    """More than is needed is no failure: one role that owns the tables is enough."""
    if found.missing:
        said = f"{found.role} lacks {_listed(found.missing)}"
        return failure(
            WHAT, said, "Run switchgate migrate with DATABASE_OWNER_URL set, which grants what is needed."
        )
    excess = _excess(found)
    if excess is None:
        return ok(WHAT, f"{found.role} can do what the service needs, and no more")
    return warning(WHAT, f"{found.role} {excess}", REMEDY)


def _excess(found: RolePrivileges) -> str | None:
    if found.superuser:
        return "is a superuser: it can change everything, the audit trail too"
    if found.owned:
        trail = ", the audit trail's too" if "audit_events" in found.owned else ""
        return f"owns {len(found.owned)} tables: it can alter, truncate and drop them and disable their triggers{trail}"
    more = [*([_listed(found.excess)] if found.excess else []), *found.other]
    return f"can do more than the service needs: {'; '.join(more)}" if more else None


def _listed(tables: Mapping[str, Sequence[str]]) -> str:
    """The audit trail first: it is what matters most."""
    return "; ".join(f"{privilege} on {_names(names)}" for privilege, names in tables.items())


def _names(tables: Sequence[str]) -> str:
    first = sorted(tables, key=lambda table: (table != "audit_events", table))
    more = f" and {len(first) - SHOWN} more" if len(first) > SHOWN else ""
    return f"{', '.join(first[:SHOWN])}{more}"
