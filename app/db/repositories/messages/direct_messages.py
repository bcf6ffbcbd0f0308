"""Direct messages about waiting gates; see `app.flow.notify.send_direct_message.DirectMessageRepository`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, bindparam, case, exists, null, select, update

from app.db.database import Database
from app.db.expressions import NOW_PARAM, ONE, is_among, is_one_of
from app.db.gate_view import GATE_VIEW
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.mapping.rows import IncoherentRow, gate_view_from_row
from app.db.repositories.messages.channels import current_id
from app.db.repositories.subscriptions import SELECT_ALL, subscription_from_row
from app.db.tables import cards, direct_messages, gates, subscriptions
from app.flow.notify.send_direct_message import DueDirectMessage
from app.flow.notify.subscriptions import Recipient, Subscription
from app.flow.read_models import CardPlace
from app.gate.ids import UserId
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS

REQUEST: Final = """
INSERT INTO direct_messages (gate_id, person, written_at, due_at)
SELECT g.id, r.person, :now, :now
FROM unnest(CAST(:persons AS text[]), CAST(:for_domains AS text[]), CAST(:own AS boolean[])) AS r(person, domain, own)
JOIN gates g ON g.domain = r.domain AND g.phase = 'awaiting' AND g.deadline_at > :now
JOIN switches s ON s.id = g.switch_id AND s.verified_at IS NOT NULL
WHERE s.creator <> ALL(CAST(:rescuers AS text[]))
    AND (r.own OR (r.person <> ALL(s.named_deployers) AND s.deployer IS DISTINCT FROM r.person))
    AND NOT EXISTS (SELECT 1 FROM direct_messages d WHERE d.gate_id = g.id AND d.person = r.person)
    AND NOT EXISTS (SELECT 1 FROM votes v WHERE v.gate_id = g.id AND v.voter = r.person)
ON CONFLICT ON CONSTRAINT direct_messages_key DO NOTHING
RETURNING 1
"""
"""As text, because SQLAlchemy does not unnest several arrays side by side."""

_decided = select(direct_messages.c.id).where(
    direct_messages.c.closed_at.is_(None),
    direct_messages.c.due_at.is_(None),
    exists().where(gates.c.id == direct_messages.c.gate_id, gates.c.phase != "awaiting"),
)
MAKE_DECIDED_DUE: Final = (
    update(direct_messages)
    .where(is_among(direct_messages.c.id, _decided))
    .values(due_at=NOW_PARAM, attempts=0)
    .returning(ONE)
)
SELECT_CLAIMED: Final = (
    GATE_VIEW.add_columns(
        current_id(cards.c.channel).label("card_channel"),
        cards.c.ts.label("card_ts"),
        direct_messages.c.id.label("message"),
        direct_messages.c.person,
        direct_messages.c.channel.label("message_channel"),
        direct_messages.c.ts.label("message_ts"),
        direct_messages.c.written_at,
        direct_messages.c.posting_since,
        subscriptions.c.locale,
    )
    .join(direct_messages, direct_messages.c.gate_id == gates.c.id)
    .outerjoin(cards, cards.c.gate_id == gates.c.id)
    .outerjoin(subscriptions, subscriptions.c.person == direct_messages.c.person)
    .where(is_one_of(direct_messages.c.id, "ids"))
    .order_by(direct_messages.c.id)
)
STORE_POST_INTENT: Final = (
    update(direct_messages)
    .where(is_leased("direct_messages"))
    .values(posting_since=NOW_PARAM, channel=bindparam("next_channel"))
    .returning(ONE)
)
STORE_POSTED: Final = (
    update(direct_messages)
    .where(is_leased("direct_messages"))
    .values(
        **NO_LEASE,
        channel=bindparam("next_channel"),
        ts=bindparam("posted_ts"),
        due_at=null(),
        posting_since=null(),
        last_error=null(),
    )
)
CLOSE: Final = (
    update(direct_messages)
    .where(is_leased("direct_messages"))
    .values(**NO_LEASE, closed_at=NOW_PARAM, due_at=null(), posting_since=null())
)
RESCHEDULE: Final = (
    update(direct_messages)
    .where(is_leased("direct_messages"))
    .values(
        **NO_LEASE,
        due_at=bindparam("next_due_at"),
        last_error=bindparam("error"),
        posting_since=case((bindparam("uncertain", type_=Boolean), direct_messages.c.posting_since)),
    )
)


class DirectMessages:
    """Direct messages, leased by one replica."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "direct_messages", owner)

    async def subscriptions(self) -> Sequence[Subscription]:
        """Everybody who wants messages."""
        return [subscription_from_row(row) for row in await self._database.execute(SELECT_ALL)]

    async def request(self, recipients: Sequence[Recipient], *, now: datetime) -> bool:
        """Requests a message to each recipient for each waiting gate, once."""
        rows = await self._database.execute(
            REQUEST,
            persons=[each.person for each in recipients],
            for_domains=[each.domain for each in recipients],
            own=[each.own_deployment for each in recipients],
            rescuers=sorted(AUTO_ROLLBACK_CREATORS),
            now=now,
        )
        return bool(rows)

    async def make_decided_due(self, *, now: datetime) -> bool:
        """Makes posted messages due whose gate no longer waits."""
        return bool(await self._database.execute(MAKE_DECIDED_DUE, now=now))

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueDirectMessage]:
        """Leases messages to post or to edit."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.execute(SELECT_CLAIMED, ids=list(claimed))
        return await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.message)

    async def mark_posting(self, due: DueDirectMessage, *, channel: str, now: datetime) -> bool:
        """Stores the intent to post and the conversation; False if the lease was lost."""
        values = {"next_channel": channel, "now": now}
        return bool(await self._database.execute(STORE_POST_INTENT, **self.leases.fence(due.id), **values))

    async def mark_posted(self, due: DueDirectMessage, *, place: CardPlace) -> None:
        """It was posted. It stays open until it says how the gate was decided."""
        values = {"next_channel": place.channel, "posted_ts": place.ts}
        await self._database.execute(STORE_POSTED, **self.leases.fence(due.id), **values)

    async def mark_closed(self, due: DueDirectMessage, *, now: datetime) -> None:
        """Nothing is posted or edited any more."""
        await self._database.execute(CLOSE, **self.leases.fence(due.id), now=now)

    async def retry_later(
        self, due: DueDirectMessage, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """Reschedules it to `due_at`."""
        values = {"error": error[:500], "uncertain": uncertain, "next_due_at": due_at}
        await self._database.execute(RESCHEDULE, **self.leases.fence(due.id), **values)


def _due(claimed: Mapping[Any, int], row: Any) -> DueDirectMessage:
    if row.locale not in {None, "en", "ko"}:
        raise IncoherentRow(f"{row.person} wants the language {row.locale}")
    return DueDirectMessage(
        attempts=claimed[row.message],
        id=row.message,
        person=UserId(row.person),
        view=gate_view_from_row(row),
        card=CardPlace(channel=row.card_channel, ts=row.card_ts) if row.card_ts else None,
        place=CardPlace(channel=row.message_channel, ts=row.message_ts) if row.message_ts else None,
        written_at=row.written_at,
        posting_since=row.posting_since,
        tried=row.message_channel if row.posting_since else None,
        locale=row.locale,
    )
