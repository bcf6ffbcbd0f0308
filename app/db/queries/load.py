"""What waits in the whole database, for /metrics: open gates, and the oldest due work. Reads what is open only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from sqlalchemy import ScalarSelect, func, literal_column, select

from app.db.database import Database
from app.db.leases import Work
from app.db.tables import gates, metadata, reports

SELECT_OPEN_GATES: Final = (
    select(
        gates.c.domain,
        gates.c.phase,
        func.count().label("gates"),
        func.min(gates.c.opened_at).label("oldest_opened_at"),
        func.min(gates.c.deadline_at).label("next_deadline_at"),
    )
    # As a literal: the partial index `gates_open` has it.
    .where(gates.c.phase != literal_column("'closed'"))
    .group_by(gates.c.domain, gates.c.phase)
)


def _oldest_due(work: Work) -> ScalarSelect[datetime]:
    """The first entry of the work's index on `due_at`."""
    return select(func.min(metadata.tables[work].c.due_at)).scalar_subquery()


SELECT_OLDEST_WORK: Final = select(
    select(func.min(gates.c.decided_at))
    .join_from(reports, gates, gates.c.id == reports.c.gate_id)
    .where(reports.c.due_at.is_not(None))
    .scalar_subquery()
    .label("unreported"),
    *(_oldest_due(work).label(work) for work in get_args(Work)),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenGates:
    """Of one domain in one phase. `domain` is None while CodeDeploy has not confirmed the deployment."""

    domain: str | None
    phase: str
    count: int
    oldest_opened_at: datetime
    next_deadline_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """`unreported_since`: the oldest decision that CodeDeploy has not received. `oldest_due`: of each kind of work that
    has any; in the future where none is due yet."""

    open_gates: Sequence[OpenGates]
    unreported_since: datetime | None
    oldest_due: Mapping[Work, datetime]


async def read_load(database: Database) -> Load:
    """Two statements."""
    open_gates = await database.execute(SELECT_OPEN_GATES)
    oldest = (await database.execute(SELECT_OLDEST_WORK))[0]
    works: tuple[Work, ...] = get_args(Work)
    due = {work: getattr(oldest, work) for work in works}
    return Load(
        open_gates=[
            OpenGates(
                domain=row.domain,
                phase=row.phase,
                count=row.gates,
                oldest_opened_at=row.oldest_opened_at,
                next_deadline_at=row.next_deadline_at,
            )
            for row in open_gates
        ],
        unreported_since=oldest.unreported,
        oldest_due={work: at for work, at in due.items() if at is not None},
    )
