"""Search: gates, switches and audit events for people and machines. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Text,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from app.db.database import Database
from app.db.expressions import LIMIT, ONE, is_among, is_one_of
from app.db.gate_view import GATE_VIEW, GATE_VIEW_WITH_EVIDENCE, IS_AWAITING, SUCCEEDED, SWITCH_COLUMNS
from app.db.leases import readable_rows
from app.db.mapping.rows import gate_view_from_row, switch_from_row
from app.db.queries.audit_actors import audit_actors, audit_actors_ever_named
from app.db.queries.audit_filter import user_id, user_named
from app.db.queries.audit_trail import AuditFilter, AuditLine, audit_line_from_row, audit_select
from app.db.queries.load import Load, read_load
from app.db.queries.pages import (
    NotACursor,
    Page,
    encode_cursor,
    equality_conditions,
    first,
    in_utc,
    read_cursor,
    read_moment,
    read_uuid,
    time_literal,
    unchanged,
)
from app.db.repositories.evidence import gate_view_with_evidence
from app.db.repositories.exclusivity import related_switches
from app.db.repositories.messages.channels import Channels, current_id
from app.db.tables import cards, gates, switches
from app.flow.read_models import CardPlace, GateView, Switch
from app.gate.ids import DomainName
from app.gate.rules.exclusivity import RelatedSwitch
from app.gate.state_machine import Phase

_DOMAIN: Final = bindparam("domain", type_=Text)
_in_domain = or_(_DOMAIN.is_(None), switches.c.domain == _DOMAIN)
SELECT_PENDING: Final = (
    GATE_VIEW_WITH_EVIDENCE.add_columns(current_id(cards.c.channel).label("channel"), cards.c.ts)
    .outerjoin(cards, cards.c.gate_id == gates.c.id)
    .where(IS_AWAITING, _in_domain)
    .order_by(gates.c.deadline_at, gates.c.id)
    .limit(LIMIT)
    .offset(bindparam("offset", type_=Integer))
)
COUNT_PENDING: Final = (
    select(func.count().label("total"))
    .select_from(gates)
    .join(switches, switches.c.id == gates.c.switch_id)
    .where(IS_AWAITING, _in_domain)
)
_any_switch = switches.alias("any_switch")
_last_gate = (
    select(gates.c.id)
    .where(gates.c.switch_id == _any_switch.c.id, gates.c.phase != literal_column("'awaiting'"))
    .order_by(gates.c.opened_at.desc())
    .limit(ONE)
    .lateral("last_gate")
)
_last_gates = (
    select(_last_gate.c.id)
    .select_from(_any_switch)
    .join(_last_gate, true())
    .where(_any_switch.c.domain == _DOMAIN)
    .order_by(-_any_switch.c.id)
    .limit(LIMIT)
)
SELECT_LAST_GATES: Final = GATE_VIEW.where(is_among(gates.c.id, _last_gates)).order_by(switches.c.id.desc())


def _latest(table: FromClause, *where: ColumnElement[bool]) -> Select[Any]:
    """The gate of the latest switch, in the order that only the indexes by domain have."""
    return (
        select(table.c.id, table.c.switch_id, table.c.opened_at)
        .where(*where)
        .order_by(-table.c.switch_id, table.c.opened_at.desc())
        .limit(ONE)
        .correlate(None)
    )


_let_through = union_all(
    _latest(
        gates,
        gates.c.domain == _DOMAIN,
        gates.c.verdict == literal_column("'approved'"),
        gates.c.basis != literal_column("'auto_rollback'"),
    ),
    _latest(
        gates,
        gates.c.domain == _DOMAIN,
        gates.c.verdict != literal_column("'approved'"),
        gates.c.outcome_detail == SUCCEEDED,
    ),
).subquery("let_through")
SELECT_LAST_LET_THROUGH: Final = GATE_VIEW.where(
    is_among(gates.c.id, _latest(_let_through).with_only_columns(_let_through.c.id))
)
GATES_BY_ID: Final = GATE_VIEW_WITH_EVIDENCE.where(is_one_of(gates.c.id, "ids"))
SWITCHES_BY_ID: Final = select(*SWITCH_COLUMNS).where(is_one_of(switches.c.id, "ids"))
SELECT_REVISION: Final = "SELECT version_num FROM alembic_version"
SELECT_TIME: Final = select(func.clock_timestamp().label("at"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A waiting gate and the place of its card, if it has one yet."""

    view: GateView
    place: CardPlace | None


class Queries:
    """Read queries of Slack, the API, the command line and the health check."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(
        self, *, domain: str | None = None, limit: int, offset: int = 0
    ) -> tuple[Sequence[Pending], int]:
        """Waiting gates with their evidence, the nearest deadline first, and how many there are in all."""
        rows = await self._database.execute(SELECT_PENDING, domain=domain, limit=limit, offset=offset)
        total = len(rows)
        if offset or total == limit:
            total = (await self._database.execute(COUNT_PENDING, domain=domain))[0].total
        return list(readable_rows(rows, _pending)), total

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """These domains' switches that live, and the last one of each."""
        return await related_switches(self._database, domains)

    async def last_decided(self, *, domain: str, limit: int) -> Sequence[GateView]:
        """A domain's latest switches, newest first, each with its latest gate that no longer waits."""
        rows = await self._database.execute(SELECT_LAST_GATES, domain=domain, limit=limit)
        return list(readable_rows(rows, gate_view_from_row))

    async def last_let_through(self, *, domain: str) -> GateView | None:
        """The gate of the domain's latest switch that was let through, here or elsewhere; automatic rollbacks apart."""
        rows = await self._database.execute(SELECT_LAST_LET_THROUGH, domain=domain)
        return gate_view_from_row(rows[0]) if rows else None

    async def audit(self, wanted: AuditFilter, *, limit: int, cursor: str | None = None) -> Page[AuditLine]:
        """The audit trail, newest first. Raises `NotACursor`."""
        before = None
        if cursor is not None:
            at, id_ = read_cursor(cursor)
            before = (read_moment(at), id_)
        rows = await self._database.execute(audit_select(wanted, before=before, limit=limit + 1))
        next_cursor = (
            encode_cursor(rows[limit - 1].at.isoformat(), rows[limit - 1].id) if len(rows) > limit else None
        )
        return Page(items=[audit_line_from_row(row) for row in rows[:limit]], cursor=next_cursor)

    async def user_named(self, text: str, *, former: bool = False) -> str:
        """The id of a person as somebody writes it: an id, a mention or a name. Raises `ValueError`.

        `former`: also a name that the person has no more, for which the whole trail is read.
        """
        if found := user_id(text):
            return found
        try:
            return user_named(text, await audit_actors(self._database))
        except ValueError:
            earlier = await audit_actors_ever_named(self._database, text) if former else ()
            if not earlier:
                raise
            return user_named(text, earlier)

    async def switches(
        self, *, domain: str | None, deployment: str | None, limit: int, cursor: str | None
    ) -> Page[Switch]:
        """Switches, newest first. Raises `NotACursor`."""
        conditions = equality_conditions(switches, {"domain": domain, "deployment_id": deployment})
        # Negative, as only `switches_newest` has it: see `app.db.queries.pages.in_utc`.
        newest = -switches.c.id if conditions else switches.c.id.desc()
        if cursor is not None:
            at, id_ = read_cursor(cursor)
            if at:
                raise NotACursor  # of another query
            before = literal(id_, BigInteger)
            conditions.append(-switches.c.id > -before if conditions else switches.c.id < before)
        ids = await self._database.execute(
            first(select(switches.c.id).where(*conditions), newest, limit=limit + 1)
        )
        rows = await self._database.execute(SWITCHES_BY_ID, ids=[row.id for row in ids[:limit]])
        found = sorted(readable_rows(rows, switch_from_row), key=lambda switch: switch.id, reverse=True)
        return Page(items=found, cursor=encode_cursor("", ids[limit - 1].id) if len(ids) > limit else None)

    async def gates(
        self,
        *,
        domain: str | None,
        deployment: str | None,
        phase: str | None,
        limit: int,
        cursor: str | None = None,
    ) -> Page[GateView]:
        """Gates, newest first. Raises `NotACursor`."""
        conditions = equality_conditions(gates, {"domain": domain, "phase": phase})
        if phase is not None and phase != Phase.CLOSED:
            conditions.append(gates.c.phase != literal_column(f"'{Phase.CLOSED}'"))  # as `gates_open` says it
        if deployment is not None:
            of_deployment = select(switches.c.id).where(switches.c.deployment_id == deployment)
            conditions.append(gates.c.switch_id.in_(of_deployment))
        in_order = unchanged if domain or deployment else in_utc
        newest = in_order(gates.c.opened_at)
        if cursor is not None:
            at, id_ = read_cursor(cursor)
            if id_:
                raise NotACursor  # of another query
            opened, _, gate = at.partition("/")
            conditions.append(
                tuple_(newest, gates.c.id)
                < tuple_(in_order(time_literal(read_moment(opened))), read_uuid(gate))
            )
        found = select(gates.c.id, gates.c.opened_at).where(*conditions)
        ids = await self._database.execute(first(found, newest.desc(), gates.c.id.desc(), limit=limit + 1))
        order = {row.id: place for place, row in enumerate(ids[:limit])}
        rows = await self._database.execute(GATES_BY_ID, ids=list(order))
        last = ids[limit - 1] if len(ids) > limit else None
        return Page(
            items=sorted(readable_rows(rows, gate_view_with_evidence), key=lambda view: order[view.id]),
            cursor=encode_cursor(f"{last.opened_at.isoformat()}/{last.id}", 0) if last else None,
        )

    async def gates_of(self, *, deployment: str, limit: int) -> Sequence[GateView]:
        """The gates of the deployments that have this id, newest first."""
        page = await self.gates(domain=None, deployment=deployment, phase=None, limit=limit)
        return page.items

    async def load(self) -> Load:
        """Open gates, and the oldest due work of each kind."""
        return await read_load(self._database)

    async def channel_facts(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Channel ids that Slack has replaced, old to new; and channels in which it refuses messages, with why."""
        return await Channels(self._database).known()

    async def clock_time(self) -> datetime:
        """The time of the database server."""
        at: datetime = (await self._database.execute(SELECT_TIME))[0].at
        return at

    async def revision(self) -> str | None:
        """The database's revision; None before the first migration."""
        if (await self._database.execute("SELECT to_regclass('alembic_version') AS there"))[0].there is None:
            return None
        rows = await self._database.execute(SELECT_REVISION)
        return rows[0].version_num if rows else None


def _pending(row: Any) -> Pending:
    return Pending(
        view=gate_view_with_evidence(row), place=CardPlace(channel=row.channel, ts=row.ts) if row.ts else None
    )
