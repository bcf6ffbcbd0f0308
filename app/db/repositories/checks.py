"""Checks, reported by CI or a probe. Stored by deployment; a check may precede the hook."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import NAMED_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import readable_rows
from app.db.mapping.rows import SELECT_GATE_VIEW, check_from_columns, gate_view_from_row
from app.db.statements import execute
from app.flow.audit_events import Event
from app.flow.checks.record_check import AmbiguousDeployment
from app.flow.read_models import GateView
from app.gate.ids import DeploymentId, DomainName, GateId, SwitchKey
from app.gate.rules.checks import Check

ORPHANED_CHECK_RETENTION: Final = timedelta(days=7)

SELECT_SWITCHES: Final = """
SELECT id, account, domain FROM switches
WHERE deployment_id = :deployment AND region = :region
    AND (CAST(:account AS text) IS NULL OR account IN (:account, ''))
ORDER BY id LIMIT 2
"""
TAKE_AUDIT_LOCK: Final = f"SELECT 1 WHERE {NAMED_AUDIT_LOCK}"
LOCK_GATES: Final = "SELECT 1 FROM gates WHERE switch_id = :switch ORDER BY id FOR NO KEY UPDATE"
# Reported before the hook and without an account; the hook has named the account.
ADOPT_CHECKS_WITHOUT_ACCOUNT: Final = """
WITH old AS (
    DELETE FROM checks WHERE deployment_id = :deployment AND region = :region AND account = '' RETURNING *
)
INSERT INTO checks (account, region, deployment_id, name, state, summary, url, reported_by, reported_at)
SELECT :account, region, deployment_id, name, state, summary, url, reported_by, reported_at FROM old
ON CONFLICT DO NOTHING
"""
SELECT_CHECKS: Final = """
SELECT name, state, summary, url, reported_by, reported_at FROM checks
WHERE deployment_id = :deployment AND region = :region AND account = :account ORDER BY reported_at
"""
UPSERT_CHECK: Final = f"""
WITH k AS (
    INSERT INTO checks (account, region, deployment_id, name, state, summary, url, reported_by, reported_at)
    VALUES (:account, :region, :deployment, :name, :state, :summary, :url, :by, :at)
    ON CONFLICT ON CONSTRAINT checks_pkey DO UPDATE
        SET state = excluded.state, summary = excluded.summary, url = excluded.url,
            reported_by = excluded.reported_by, reported_at = excluded.reported_at
), {invalidate_cards("switch_id = :switch")}, a AS (
    {INSERT_EVENTS}
)
SELECT 1
"""
SELECT_CHECKS_OF_ALL_ACCOUNTS: Final = """
SELECT account, region, name, state, summary, url, reported_by, reported_at FROM checks
WHERE deployment_id = :deployment ORDER BY account, region, name
"""
DELETE_BATCH_SIZE: Final = 50
# Each check is examined once, after a week: without a switch it is deleted, otherwise marked as matched.
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
SELECT_WITH_PASSED_CHECK: Final = f"""
{SELECT_GATE_VIEW} WHERE g.phase = 'awaiting' AND s.verified_at IS NOT NULL AND s.domain = ANY(:domains)
    AND g.id <> ALL(:skip) AND EXISTS (
    SELECT 1 FROM checks k WHERE k.deployment_id = s.deployment_id AND k.region = s.region
        AND k.account IN (s.account, '') AND k.state = 'passed'
)
ORDER BY g.deadline_at LIMIT :limit
"""


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
        await execute(
            self._connection,
            UPSERT_CHECK,
            {
                **_key_values(self._key),
                "switch": self._switch,
                "name": check.name,
                "state": check.state,
                "summary": check.summary,
                "url": check.url,
                "by": check.by,
                "at": check.at,
                "now": now,
                "events": events_parameter(events),
            },
        )


class Checks:
    """See `app.flow.checks.record_check.CheckRecord` and `app.flow.approval.approve_by_checks.SelfApproving`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def hold_checks(
        self, *, deployment: DeploymentId, account: str | None, region: str
    ) -> AsyncIterator[HeldChecksRows]:
        """The deployment's checks until the block ends. Raises `AmbiguousDeployment`."""
        async with self._database.begin() as connection:
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
                await execute(connection, ADOPT_CHECKS_WITHOUT_ACCOUNT, _key_values(key))
            rows = await execute(connection, SELECT_CHECKS, _key_values(key))
            yield HeldChecksRows(
                connection,
                key=key,
                switch=switch.id if switch else None,
                domain=DomainName(switch.domain) if switch and switch.domain else None,
                checks=[check_from_columns(*row) for row in rows],
            )

    async def of(self, deployment: DeploymentId) -> Sequence[tuple[SwitchKey, Check]]:
        """Every check of a deployment, in whatever account and region."""
        rows = await self._database.rows(SELECT_CHECKS_OF_ALL_ACCOUNTS, deployment=deployment)
        return [
            (
                SwitchKey(account=row.account, region=row.region, deployment=deployment),
                check_from_columns(*row[2:]),
            )
            for row in rows
        ]

    async def with_a_passed_check(
        self, domains: Sequence[DomainName], *, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateView]:
        """Waiting gates of these domains of which some check has passed, the nearest deadline first."""
        where = {"domains": list(domains), "skip": list(skip)}
        rows = await self._database.rows(SELECT_WITH_PASSED_CHECK, **where, limit=limit)
        return list(readable_rows(rows, gate_view_from_row))

    async def forget_strays(self, *, now: datetime) -> None:
        """Deletes checks without a hook after a week."""
        before = now - ORPHANED_CHECK_RETENTION
        while (await self._database.rows(DELETE_ORPHANED_CHECKS, before=before))[
            0
        ].checks == DELETE_BATCH_SIZE:
            pass


def _key_values(key: SwitchKey) -> dict[str, Any]:
    return {"account": key.account, "region": key.region, "deployment": key.deployment}
