"""Checks, reported by CI or a probe. Stored by deployment; a check may precede the hook."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Text, bindparam, delete, exists, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import insert_events
from app.db.audit_lock import TAKE_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.expressions import EMPTY, LIMIT, SWITCH_PARAM, is_none_of, is_one_of
from app.db.gate_view import GATE_VIEW, IS_AWAITING
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import readable_rows
from app.db.mapping.rows import check_from_row, gate_view_from_row
from app.db.statements import execute
from app.db.tables import checks, gates, switches
from app.flow.audit_events import Event
from app.flow.checks.record_check import AmbiguousDeployment
from app.flow.read_models import GateView
from app.gate.ids import DeploymentId, DomainName, GateId, SwitchKey
from app.gate.rules.checks import Check

ORPHANED_CHECK_RETENTION: Final = timedelta(days=7)

_DEPLOYMENT: Final = bindparam("deployment", type_=Text)
_REGION: Final = bindparam("region", type_=Text)
_ACCOUNT: Final = bindparam("account", type_=Text)

SELECT_SWITCHES: Final = (
    select(switches.c.id, switches.c.account, switches.c.domain)
    .where(
        switches.c.deployment_id == _DEPLOYMENT,
        switches.c.region == _REGION,
        or_(_ACCOUNT.is_(None), switches.c.account.in_([_ACCOUNT, EMPTY])),
    )
    .order_by(switches.c.id)
    .limit(literal_column("2"))
)
LOCK_GATES: Final = (
    select(gates.c.id)
    .where(gates.c.switch_id == SWITCH_PARAM)
    .order_by(gates.c.id)
    .with_for_update(key_share=True)
)
# Reported before the hook and without an account; the hook has named the account.
_without_account = (
    delete(checks)
    .where(
        checks.c.deployment_id == _DEPLOYMENT,
        checks.c.region == bindparam("of_region"),
        checks.c.account == EMPTY,
    )
    .returning(checks)
    .cte("without_account")
)
_ADOPTED: Final = (
    *("region", "deployment_id", "name", "state", "summary", "url", "reported_by", "reported_at"),
)
ADOPT_CHECKS_WITHOUT_ACCOUNT: Final = (
    insert(checks)
    .from_select(
        ["account", *_ADOPTED],
        select(bindparam("in_account", type_=Text), *(_without_account.c[name] for name in _ADOPTED)),
    )
    .on_conflict_do_nothing()
)
SELECT_CHECKS: Final = (
    select(checks)
    .where(checks.c.deployment_id == _DEPLOYMENT, checks.c.region == _REGION, checks.c.account == _ACCOUNT)
    .order_by(checks.c.reported_at)
)
_check = insert(checks)
UPSERT_CHECK: Final = _check.on_conflict_do_update(
    constraint="checks_pkey",
    set_={name: _check.excluded[name] for name in ("state", "summary", "url", "reported_by", "reported_at")},
)
INVALIDATE_CARDS: Final = invalidate_cards(gates.c.switch_id == SWITCH_PARAM)
SELECT_CHECKS_OF_ALL_ACCOUNTS: Final = (
    select(checks)
    .where(checks.c.deployment_id == _DEPLOYMENT)
    .order_by(checks.c.account, checks.c.region, checks.c.name)
)
DELETE_BATCH_SIZE: Final = 50
# Each check is examined once, after a week: without a switch it is deleted, otherwise marked as matched. As text,
# because it names rows by `ctid`.
DELETE_ORPHANED_CHECKS: Final = f"""
WITH due AS (
    SELECT k.ctid AS place, (
        SELECT s.id FROM switches s WHERE s.deployment_id = k.deployment_id AND s.region = k.region LIMIT 1
    ) IS NOT NULL AS matched
    FROM checks k WHERE NOT k.matched AND k.reported_at < :before
    ORDER BY k.reported_at LIMIT {DELETE_BATCH_SIZE} FOR UPDATE SKIP LOCKED
), kept AS (
    UPDATE checks SET matched = true WHERE ctid = ANY(ARRAY(SELECT place FROM due WHERE matched))
), gone AS (
    DELETE FROM checks WHERE ctid = ANY(ARRAY(SELECT place FROM due WHERE NOT matched))
)
SELECT count(*) AS checks FROM due
"""
SELECT_WITH_PASSED_CHECK: Final = (
    GATE_VIEW.where(
        IS_AWAITING,
        switches.c.verified_at.is_not(None),
        is_one_of(switches.c.domain, "domains"),
        is_none_of(gates.c.id, "skip"),
        exists().where(
            checks.c.deployment_id == switches.c.deployment_id,
            checks.c.region == switches.c.region,
            checks.c.account.in_([switches.c.account, EMPTY]),
            checks.c.state == "passed",
        ),
    )
    .order_by(gates.c.deadline_at)
    .limit(LIMIT)
)


class HeldChecksRows:
    """The checks of one deployment under its audit lock; see `app.flow.checks.record_check.HeldChecks`."""

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        key: SwitchKey,
        switch: int | None,
        domain: DomainName | None,
        checks: Sequence[Check],
    ) -> None:
        self._connection = connection
        self._key = key
        self._switch = switch
        self._domain = domain
        self._checks = checks

    @property
    def key(self) -> SwitchKey:
        return self._key

    @property
    def domain(self) -> DomainName | None:
        return self._domain

    @property
    def checks(self) -> Sequence[Check]:
        return self._checks

    async def keep(self, check: Check, *, events: Sequence[Event], now: datetime) -> None:
        """Stores the check and invalidates the switch's cards. A vote that waits for the gate lock sees it."""
        await execute(self._connection, LOCK_GATES, {"switch": self._switch})
        values = {
            "account": self._key.account,
            "region": self._key.region,
            "deployment_id": self._key.deployment,
            "name": check.name,
            "state": check.state,
            "summary": check.summary,
            "url": check.url,
            "reported_by": check.by,
            "reported_at": check.at,
        }
        await execute(self._connection, UPSERT_CHECK, values)
        await execute(self._connection, INVALIDATE_CARDS, {"switch": self._switch, "now": now})
        await insert_events(self._connection, events)


class Checks:
    """See `app.flow.checks.record_check.CheckRepository` and `app.flow.approval.approve_by_checks.CheckedGates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def hold_checks(
        self, *, deployment: DeploymentId, account: str | None, region: str
    ) -> AsyncIterator[HeldChecksRows]:
        """The deployment's checks until the block ends. Raises `AmbiguousDeployment`."""
        async with self._database.transaction() as connection:
            wanted = {"deployment": deployment, "account": account, "region": region}
            found = await execute(connection, SELECT_SWITCHES, wanted)
            if len(found) > 1:
                raise AmbiguousDeployment
            switch = found[0] if found else None
            key = SwitchKey(
                account=switch.account if switch else (account or ""), region=region, deployment=deployment
            )
            await execute(connection, TAKE_AUDIT_LOCK, {"audit_lock": audit_lock_name(key)})
            if switch is not None and key.account:
                adopted = {"deployment": key.deployment, "of_region": key.region, "in_account": key.account}
                await execute(connection, ADOPT_CHECKS_WITHOUT_ACCOUNT, adopted)
            rows = await execute(connection, SELECT_CHECKS, _key_values(key))
            yield HeldChecksRows(
                connection,
                key=key,
                switch=switch.id if switch else None,
                domain=DomainName(switch.domain) if switch and switch.domain else None,
                checks=[check_from_row(row) for row in rows],
            )

    async def of(self, deployment: DeploymentId) -> Sequence[tuple[SwitchKey, Check]]:
        """Every check of a deployment, in whatever account and region."""
        rows = await self._database.execute(SELECT_CHECKS_OF_ALL_ACCOUNTS, deployment=deployment)
        return [
            (
                SwitchKey(account=row.account, region=row.region, deployment=deployment),
                check_from_row(row),
            )
            for row in rows
        ]

    async def with_a_passed_check(
        self, domains: Sequence[DomainName], *, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateView]:
        """Waiting gates of these domains of which some check has passed, the nearest deadline first."""
        where = {"domains": list(domains), "skip": list(skip)}
        rows = await self._database.execute(SELECT_WITH_PASSED_CHECK, **where, limit=limit)
        return list(readable_rows(rows, gate_view_from_row))

    async def forget_strays(self, *, now: datetime) -> None:
        """Deletes checks without a hook after a week."""
        before = now - ORPHANED_CHECK_RETENTION
        while (await self._database.execute(DELETE_ORPHANED_CHECKS, before=before))[
            0
        ].checks == DELETE_BATCH_SIZE:
            pass


def _key_values(key: SwitchKey) -> dict[str, Any]:
    return {"account": key.account, "region": key.region, "deployment": key.deployment}
