"""Loads what one person sees in Home: their gates first. Uses the same rules as a vote."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from app.flow.approval.approval_context import RelatedSwitchRepository, with_related_switches
from app.flow.approval.preview_approval import ApprovalPreview, is_named, preview_approval
from app.flow.freezes.stored_freezes import ActiveFreeze
from app.flow.ports.rules import Rules
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import DomainName, GateId, UserId
from app.gate.people import Person
from app.gate.rules.policy import Shift
from app.slack.cards.list_item import PendingGate

MAX_MINE: Final = 20
MAX_APPROVED: Final = 5
MAX_OTHERS: Final = 15
MAX_DECIDED: Final = 8
"""With their buttons they stay below a view's 100 blocks and 250 kB."""

MAX_BULK_GATES: Final = 30
"""Gates that one form approves."""


class WaitingGate(Protocol):
    @property
    def id(self) -> GateId: ...

    @property
    def domain(self) -> DomainName | None: ...

    @property
    def shift(self) -> Shift | None: ...

    @property
    def approved_by(self) -> frozenset[UserId]: ...


class HomeQueries(RelatedSwitchRepository, Protocol):
    """Database queries. Each raises `DatabaseUnavailable`."""

    async def waiting(self) -> Sequence[WaitingGate]:
        """All waiting gates, nearest deadline first."""
        ...

    async def gates(self, gates: Sequence[GateId]) -> Sequence[PendingGate]: ...

    async def last_decided(self, *, limit: int) -> Sequence[GateView]: ...

    async def change_token(self) -> str:
        """Changes whenever a waiting gate or a freeze changes."""
        ...


class ActiveFreezes(Protocol):
    async def active(self) -> Sequence[ActiveFreeze]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _GateWithRelated:
    """A waiting gate with its related switches."""

    view: GateView
    place: CardPlace | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewedGate:
    """A waiting gate, and what this person's approval would do."""

    pending: PendingGate
    preview: ApprovalPreview

    @property
    def view(self) -> GateView:
        return self.pending.view

    @property
    def fits_bulk(self) -> bool:
        """It may be approved together with others: the approval counts, and asks no question of its own."""
        return self.preview.counts and not self.preview.questions


@dataclass(frozen=True, kw_only=True, slots=True)
class HomeContents:
    """`mine`: gates this person may decide, countable approvals first; `approved`: those that they have approved and
    that wait for somebody or something else. The totals include gates not loaded."""

    change_token: str
    mine: Sequence[PreviewedGate]
    mine_total: int
    approved: Sequence[PreviewedGate]
    approved_total: int
    others: Sequence[PendingGate]
    others_total: int
    freezes: Sequence[ActiveFreeze]
    decided: Sequence[GateView]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """Gates that may be approved together, and the number of those not loaded."""

    gates: Sequence[PreviewedGate]
    left_out: int


async def load_home(
    person: Person, *, queries: HomeQueries, freezes: ActiveFreezes, rules: Rules, now: datetime
) -> HomeContents:
    """Everything that a Home shows."""
    change_token = await queries.change_token()
    waiting = await queries.waiting()
    split = _split(waiting, person, rules=rules, now=now)
    ids = [*split.mine[:MAX_MINE], *split.approved[:MAX_APPROVED], *split.others[:MAX_OTHERS]]
    shown = await _load_gates(ids, queries=queries, rules=rules)
    others = set(split.others)
    previewed = preview_gates(
        [one for one in shown if one.view.id not in others], person, rules=rules, now=now
    )
    # Where rules were relaxed since, an approval that is given again decides: that waits for this person, too.
    approved = [one for one in previewed if one.view.id in split.approved and not one.preview.counts]
    mine = [one for one in previewed if one not in approved]
    again = sum(one.view.id in split.approved for one in mine)
    return HomeContents(
        change_token=change_token,
        mine=sorted(mine, key=lambda one: not one.preview.counts),
        mine_total=len(split.mine) + again,
        approved=approved,
        approved_total=len(split.approved) - again,
        others=[one for one in shown if one.view.id in others],
        others_total=len(split.others),
        freezes=await freezes.active(),
        decided=await queries.last_decided(limit=MAX_DECIDED),
    )


async def load_own_choices(person: Person, *, queries: HomeQueries, rules: Rules, now: datetime) -> Choices:
    """What this person may approve now."""
    split = _split(await queries.waiting(), person, rules=rules, now=now)
    mine = [*split.mine, *split.approved]
    shown = await _load_gates(mine[: 2 * MAX_BULK_GATES], queries=queries, rules=rules)
    previewed = preview_gates(shown, person, rules=rules, now=now)
    counting = [one for one in previewed if one.preview.counts]
    unseen = max(len(mine) - 2 * MAX_BULK_GATES, 0)
    return Choices(gates=counting[:MAX_BULK_GATES], left_out=unseen + max(len(counting) - MAX_BULK_GATES, 0))


async def load_domain_choices(
    domains: Sequence[DomainName], person: Person, *, queries: HomeQueries, rules: Rules, now: datetime
) -> Choices:
    """All that waits in these domains, in their order."""
    waiting = [one for one in await queries.waiting() if one.domain in domains]
    waiting.sort(key=lambda one: domains.index(one.domain) if one.domain else 0)
    ids = [one.id for one in waiting]
    shown = await _load_gates(ids[:MAX_BULK_GATES], queries=queries, rules=rules)
    previewed = preview_gates(shown, person, rules=rules, now=now)
    previewed.sort(key=lambda one: ids.index(one.view.id))
    return Choices(gates=previewed, left_out=max(len(ids) - MAX_BULK_GATES, 0))


def preview_gates(
    shown: Sequence[PendingGate], person: Person, *, rules: Rules, now: datetime
) -> list[PreviewedGate]:
    """Each gate with what this person's approval would do."""
    return [
        PreviewedGate(pending=one, preview=preview_approval(one.view, person=person, rules=rules, now=now))
        for one in shown
    ]


async def _load_gates(
    gates: Sequence[GateId], *, queries: HomeQueries, rules: Rules
) -> Sequence[PendingGate]:
    found = await queries.gates(gates)
    views = await with_related_switches([one.view for one in found], repository=queries, rules=rules)
    return [_GateWithRelated(view=view, place=one.place) for one, view in zip(found, views, strict=True)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Split:
    """Ids of the waiting gates: those that this person may decide and has not approved, those that they have approved,
    and the others."""

    mine: list[GateId] = field(default_factory=list)
    approved: list[GateId] = field(default_factory=list)
    others: list[GateId] = field(default_factory=list)


def _split(waiting: Sequence[WaitingGate], person: Person, *, rules: Rules, now: datetime) -> _Split:
    """Checks each (domain, shift) once."""
    named: dict[tuple[DomainName | None, Shift | None], bool] = {}
    split = _Split()
    ids = rules.roster().ids(person.user)
    for one in waiting:
        kind = (one.domain, one.shift)
        if kind not in named:
            named[kind] = is_named(person, domain=one.domain, shift=one.shift, rules=rules, now=now)
        if not named[kind]:
            split.others.append(one.id)
        elif ids & one.approved_by:
            split.approved.append(one.id)
        else:
            split.mine.append(one.id)
    return split
