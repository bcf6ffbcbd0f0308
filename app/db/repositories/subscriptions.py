"""Who wants direct messages; see `app.flow.notify.subscriptions.SubscriptionRepository`."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from app.db.database import Database
from app.db.mapping.rows import IncoherentRow
from app.db.tables import subscriptions
from app.flow.notify.subscriptions import Subscription
from app.gate.ids import DomainName, UserId

SELECT_ALL: Final = select(subscriptions)
_PERSON: Final = bindparam("who", type_=Text)
SELECT_ONE: Final = select(subscriptions).where(subscriptions.c.person == _PERSON)
DELETE_SUBSCRIPTION: Final = delete(subscriptions).where(subscriptions.c.person == _PERSON)
_upsert = insert(subscriptions)
UPSERT_SUBSCRIPTION: Final = _upsert.on_conflict_do_update(
    index_elements=[subscriptions.c.person],
    set_={name: _upsert.excluded[name] for name in ("domains", "locale", "changed_at")},
)


class Subscriptions:
    """One row a person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, person: UserId) -> Subscription | None:
        """None: this person wants no messages."""
        rows = await self._database.execute(SELECT_ONE, who=person)
        return subscription_from_row(rows[0]) if rows else None

    async def put(self, subscription: Subscription, *, now: datetime) -> None:
        """Stores it in place of an earlier one."""
        domains = list(subscription.domains) if subscription.domains is not None else None
        await self._database.execute(
            UPSERT_SUBSCRIPTION,
            person=subscription.person,
            domains=domains,
            locale=subscription.locale,
            changed_at=now,
        )

    async def remove(self, person: UserId) -> None:
        """Idempotent."""
        await self._database.execute(DELETE_SUBSCRIPTION, who=person)


def subscription_from_row(row: Any) -> Subscription:
    """Raises `IncoherentRow`."""
    if row.locale not in {"en", "ko"}:
        raise IncoherentRow(f"{row.person} wants the language {row.locale}")
    return Subscription(
        person=UserId(row.person),
        domains=tuple(map(DomainName, row.domains)) if row.domains is not None else None,
        locale=row.locale,
    )
