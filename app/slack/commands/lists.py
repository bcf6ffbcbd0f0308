"""The lists of `/deploys`: pending gates of all domains or one, and its last decisions, in pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from app.flow.approval.approval_context import RelatedSwitchRepository, with_related_switches
from app.flow.approval.withdraw_switch import may_withdraw
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.people import Person
from app.i18n.catalog import Texts
from app.slack.blocks import Block, actions, button, context, divider, header, section
from app.slack.cards.list_item import PendingGate, decided_line, pending_blocks
from app.slack.text.truncation import answer_sections

PAGE_SIZE: Final = 15
"""Pending switches a page: each takes up to three blocks, and a message holds fifty."""

MAX_DECIDED: Final = 5
PAGE_ACTION: Final = "deploys_page"


class DeploysQueries(RelatedSwitchRepository, Protocol):
    """The queries of the command."""

    async def pending(
        self, *, domain: str | None = None, limit: int, offset: int = 0
    ) -> tuple[Sequence[PendingGate], int]: ...

    async def last_decided(self, *, domain: str, limit: int) -> Sequence[GateView]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandReply:
    """An ephemeral answer. `text` is what a notification or a screen reader says."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPage:
    """One page of what waits, of one domain or of all, and how many wait altogether; `views` with related switches.

    `person`: who asked for it.
    """

    person: Person
    gates: Sequence[PendingGate]
    views: Sequence[GateView]
    total: int
    page: int
    domain: str | None


class DeploysLists:
    """The lists, each as a message."""

    def __init__(
        self,
        *,
        queries: DeploysQueries,
        rules: Rules,
        clock: Callable[[], datetime],
        workspace_url: Callable[[], str | None],
    ) -> None:
        self._queries = queries
        self._rules = rules
        self._clock = clock
        self._workspace_url = workspace_url

    async def pending(self, person: Person, *, page: int, texts: Texts) -> CommandReply:
        """Everything that waits."""
        listed = await self._page(person, page, domain=None)
        if not listed.total:
            return only(texts("deploys.none"), texts=texts)
        title = texts.plural("deploys.total", count=listed.total)
        return CommandReply(text=title, blocks=[header(title), *self._list(listed, texts)])

    async def domain(self, name: str, person: Person, *, page: int, texts: Texts) -> CommandReply:
        """What waits in one domain, and what was decided there last."""
        listed = await self._page(person, page, domain=name)
        decided = await self._queries.last_decided(domain=name, limit=MAX_DECIDED)
        title = texts("deploys.domain", domain=name)
        waiting = (
            self._list(listed, texts) if listed.total else [section(texts("deploys.none_of", domain=name))]
        )
        history = [decided_line(view, texts=texts) for view in decided]
        last = section("\n".join([f"*{texts('deploys.last')}*", *(history or [texts("deploys.never")])]))
        return CommandReply(text=title, blocks=[header(title), *waiting, divider(), last])

    async def to_withdraw(self, domain: str, person: Person) -> GateView | None:
        """The domain's waiting switch that this person can withdraw; else the one that waits; None: none waits."""
        gates, _ = await self._queries.pending(domain=domain, limit=PAGE_SIZE)
        views, now = [gate.view for gate in gates], self._clock()
        own = (view for view in views if may_withdraw(view, person=person, rules=self._rules, now=now))
        return next(own, views[0] if views else None)

    async def with_intro(
        self, said: str, person: Person, *, domain: str | None, texts: Texts
    ) -> CommandReply:
        """Pending gates (of the domain) under a sentence."""
        listed = await self._page(person, 0, domain=domain)
        if listed.total:
            return CommandReply(text=said, blocks=[section(said), *self._list(listed, texts)])
        nothing = texts("deploys.none_of", domain=listed.domain) if listed.domain else texts("deploys.none")
        return only(f"{said}\n{nothing}", texts=texts)

    async def _page(self, person: Person, page: int, *, domain: str | None) -> ListPage:
        """The page, or the last one where so many no longer wait."""
        gates, total = await self._queries.pending(domain=domain, limit=PAGE_SIZE, offset=page * PAGE_SIZE)
        last = max(-(-total // PAGE_SIZE) - 1, 0)
        if page > last:
            page = last
            gates, total = await self._queries.pending(
                domain=domain, limit=PAGE_SIZE, offset=page * PAGE_SIZE
            )
        views = await with_related_switches(
            [gate.view for gate in gates], repository=self._queries, rules=self._rules
        )
        return ListPage(person=person, gates=gates, views=views, total=total, page=page, domain=domain)

    def _list(self, listed: ListPage, texts: Texts) -> list[Block]:
        blocks = self._gates(listed, texts)
        if listed.total <= PAGE_SIZE:
            return blocks
        first = listed.page * PAGE_SIZE
        said = texts("deploys.page", first=first + 1, last=first + len(listed.gates), total=listed.total)
        return [*blocks, context(said), _pager(listed, texts)]

    def _gates(self, listed: ListPage, texts: Texts) -> list[Block]:
        now, base = self._clock(), self._workspace_url()
        return [
            block
            for gate, view in zip(listed.gates, listed.views, strict=True)
            for block in pending_blocks(
                view,
                place=gate.place,
                person=listed.person,
                rules=self._rules,
                texts=texts,
                now=now,
                base=base,
            )
        ]


def only(text: str, *, texts: Texts) -> CommandReply:
    """Only this text, within Slack's limits."""
    blocks = answer_sections(text, texts=texts)
    return CommandReply(text=blocks[0]["text"]["text"] if blocks else "", blocks=blocks)


def _pager(listed: ListPage, texts: Texts) -> Block:
    def page_button(text: str, way: str, page: int) -> Block:
        value = f"{page} {listed.domain or ''}".strip()
        return button(text, action=f"{PAGE_ACTION}.{way}", value=value)

    buttons = [page_button(texts("deploys.previous"), "previous", listed.page - 1)] if listed.page else []
    if (listed.page + 1) * PAGE_SIZE < listed.total:
        buttons.append(page_button(texts("deploys.next"), "next", listed.page + 1))
    return actions("deploys.pager", *buttons)
