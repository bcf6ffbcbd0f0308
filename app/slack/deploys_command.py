"""`/deploys`: what waits, one domain's history, help. Seen by the asker alone."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from app.flow.beside import Neighbourhood, with_neighbours
from app.flow.rules_port import Rules
from app.flow.views import GateView
from app.gate.ids import DomainName
from app.i18n.catalog import Texts
from app.log import error_id
from app.slack import deploys_words as own
from app.slack.blocks import Block, actions, button, context, divider, header, section
from app.slack.deploys_blocks import PendingGate, decided_line, pending_blocks
from app.slack.directory import Directory, Profile
from app.slack.near_names import named_domains, not_understood, unknown_words
from app.slack.replies import Replies, answer_by
from app.slack.rules_command import RulesCommand, rules_away
from app.slack.several import Several
from app.slack.unrecorded import UNCONFIRMED
from app.within import by

log = structlog.get_logger(__name__)

PAGE: Final = 15
"""Pending switches a page: each takes up to three blocks, and a message holds fifty."""

LAST: Final = 5
PAGE_ACTION: Final = "deploys_page"
PAGE_NUMBER: Final = re.compile("[0-9]{1,4}")


class DeploysQuestions(Neighbourhood, Protocol):
    """The record's answers that the command shows."""

    async def pending(
        self, *, domain: str | None = None, limit: int, offset: int = 0
    ) -> tuple[Sequence[PendingGate], int]: ...

    async def last_decided(self, *, domain: str, limit: int) -> Sequence[GateView]: ...

    async def last_approved(self, *, domain: str) -> GateView | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """An ephemeral answer. `text` is what a notification or a screen reader says."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One page of what waits, of one domain or of all, and how many wait altogether; `views` with neighbours."""

    gates: Sequence[PendingGate]
    views: Sequence[GateView]
    total: int
    page: int
    domain: str | None


class DeploysCommand:
    """The door of `/deploys` and of its page buttons."""

    def __init__(
        self,
        *,
        questions: DeploysQuestions,
        rules: Rules,
        directory: Directory,
        clock: Callable[[], datetime],
        workspace_url: Callable[[], str | None],
        undo_form: Callable[[GateView, str, Texts], str],
        replies: Replies,
        rules_command: RulesCommand,
        several: Several,
    ) -> None:
        """`undo_form` opens the undo's form, or gives what to say instead."""
        self._several = several
        self._replies = replies
        self._rules_command = rules_command
        self._questions = questions
        self._rules = rules
        self._directory = directory
        self._clock = clock
        self._workspace_url = workspace_url
        self._undo_form = undo_form

    async def command(self, ack: Callable[..., Awaitable[Any]], body: Mapping[str, Any]) -> None:
        """`/deploys [help | DOMAIN | VERB …]`."""
        until = answer_by()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        words = str(body.get("text") or "").split()
        verb = words[0].lower() if words else ""
        if verb in own.VERBS:
            said = self._told(words, profile, texts)
            shown = await self._guarded(
                said, texts=texts, until=until, away=lambda trouble: rules_away(verb, trouble, texts=texts)
            )
        elif verb == own.APPROVE:
            approving = self._approve(words[1:], body, profile, texts)
            shown = await self._guarded(approving, texts=texts, until=until)
        else:
            shown = await self._answer(body, texts=texts, until=until)
        if shown.text:
            await ack(text=shown.text, blocks=shown.blocks, response_type="ephemeral")
        else:
            await ack()  # a form opens

    async def _approve(
        self, words: Sequence[str], body: Mapping[str, Any], profile: Profile, texts: Texts
    ) -> Shown:
        return _only(await self._several.command(words, body=body, profile=profile, texts=texts))

    async def _told(self, words: Sequence[str], profile: Profile, texts: Texts) -> Shown:
        return _only(await self._rules_command.answer(words, profile=profile, texts=texts))

    async def page(
        self, ack: Callable[..., Awaitable[Any]], body: Mapping[str, Any], action: Mapping[str, Any]
    ) -> None:
        """A page button: the same ephemeral message, turned."""
        await ack()
        self._replies.later(self._turn(body, str(action.get("value", ""))), what="page")

    async def _turn(self, body: Mapping[str, Any], value: str) -> None:
        until = answer_by()
        texts = Texts.of((await self._directory.profile(body)).locale)
        number, _, name = value.partition(" ")
        page = int(number) if PAGE_NUMBER.fullmatch(number) else 0
        domain = name if self._rules.domain(DomainName(name)) is not None else None
        work = (
            self._domain(domain, page=page, texts=texts) if domain else self._pending(page=page, texts=texts)
        )
        shown = await self._guarded(work, texts=texts, until=until)
        self._replies.turn(body, text=shown.text, blocks=shown.blocks)

    async def _answer(self, body: Mapping[str, Any], *, texts: Texts, until: float) -> Shown:
        words, trigger = str(body.get("text") or ""), str(body.get("trigger_id") or "")
        match words.lower().split():
            case []:
                work = self._pending(page=0, texts=texts)
            case [own.HELP]:
                return self._help(texts=texts)
            case [name] if self._rules.domain(DomainName(name)) is not None:
                work = self._domain(name, page=0, texts=texts)
            case [own.UNDO, *names]:
                work = self._undo(named_domains(names), trigger=trigger, texts=texts)
            case [own.REJECT, *names]:
                # What follows the first word is a reason that somebody hopes to give here.
                work = self._reject(named_domains(names[:1]), texts=texts)
            case _:
                return self._help(texts=texts, unknown=words)
        return await self._guarded(work, texts=texts, until=until)

    async def _guarded(
        self,
        work: Coroutine[Any, Any, Shown],
        *,
        texts: Texts,
        until: float,
        away: Callable[[Exception], str] | None = None,
    ) -> Shown:
        """`away`: what to say where the record does not answer, unless that nothing can be listed."""
        try:
            return await by(until, work)
        except UNCONFIRMED as trouble:
            return _only(away(trouble) if away is not None else texts("deploys.record_away"))
        except Exception:
            short = error_id()
            log.exception("deploys_failed", error_id=short)
            return _only(texts("deploys.failed", id=short))

    async def _pending(self, *, page: int, texts: Texts) -> Shown:
        listed = await self._page(page, domain=None)
        if not listed.total:
            return _only(texts("deploys.none"))
        title = texts.plural("deploys.total", count=listed.total)
        return Shown(text=title, blocks=[header(title), *self._list(listed, texts)])

    async def _domain(self, name: str, *, page: int, texts: Texts) -> Shown:
        listed = await self._page(page, domain=name)
        decided = await self._questions.last_decided(domain=name, limit=LAST)
        title = texts("deploys.domain", domain=name)
        waiting = (
            self._list(listed, texts) if listed.total else [section(texts("deploys.none_of", domain=name))]
        )
        history = [decided_line(view, texts=texts) for view in decided]
        last = section("\n".join([f"*{texts('deploys.last')}*", *(history or [texts("deploys.never")])]))
        return Shown(text=title, blocks=[header(title), *waiting, divider(), last])

    async def _undo(self, names: Sequence[DomainName], *, trigger: str, texts: Texts) -> Shown:
        if unknown := self._unknown(names, texts):
            return _only(unknown)
        if len(names) != 1:
            return _only(texts("deploys.undo_how_to"))
        view = await self._questions.last_approved(domain=names[0])
        if view is None:
            return _only(texts("deploys.none_to_undo", domain=names[0]))
        return _only(self._undo_form(view, trigger, texts) or texts("deploys.undo_asked", domain=names[0]))

    async def _reject(self, names: Sequence[DomainName], *, texts: Texts) -> Shown:
        """Nothing is rejected by a word: what waits is shown, each with its card and its buttons."""
        if unknown := self._unknown(names, texts):
            return _only(unknown)
        listed = await self._page(0, domain=names[0] if len(names) == 1 else None)
        said = texts("deploys.reject_on_the_card")
        if listed.total:
            return Shown(text=said, blocks=[section(said), *self._list(listed, texts)])
        nothing = texts("deploys.none_of", domain=listed.domain) if listed.domain else texts("deploys.none")
        return _only(f"{said}\n{nothing}")

    def _unknown(self, names: Sequence[DomainName], texts: Texts) -> str:
        """What to say of names that no domain has; empty where all are known."""
        unknown = [name for name in names if self._rules.domain(name) is None]
        said = unknown_words(unknown, rules=self._rules, texts=texts)
        return texts("policy.unknown", names=said) if unknown else ""

    async def _page(self, page: int, *, domain: str | None) -> Listed:
        """The page, or the last one where so many no longer wait."""
        gates, total = await self._questions.pending(domain=domain, limit=PAGE, offset=page * PAGE)
        last = max(-(-total // PAGE) - 1, 0)
        if page > last:
            page = last
            gates, total = await self._questions.pending(domain=domain, limit=PAGE, offset=page * PAGE)
        views = await with_neighbours(
            [gate.view for gate in gates], record=self._questions, rules=self._rules
        )
        return Listed(gates=gates, views=views, total=total, page=page, domain=domain)

    def _list(self, listed: Listed, texts: Texts) -> list[Block]:
        blocks = self._gates(listed, texts)
        if listed.total <= PAGE:
            return blocks
        first = listed.page * PAGE
        said = texts("deploys.page", first=first + 1, last=first + len(listed.gates), total=listed.total)
        return [*blocks, context(said), _pager(listed, texts)]

    def _gates(self, listed: Listed, texts: Texts) -> list[Block]:
        now, base = self._clock(), self._workspace_url()
        return [
            block
            for gate, view in zip(listed.gates, listed.views, strict=True)
            for block in pending_blocks(
                view, place=gate.place, rules=self._rules, texts=texts, now=now, base=base
            )
        ]

    def _help(self, *, texts: Texts, unknown: str = "") -> Shown:
        blocks = [section(texts("deploys.help"))]
        if unknown:
            said = not_understood(unknown, rules=self._rules, texts=texts)
            return Shown(text=said, blocks=[section(said), *blocks])
        return Shown(text=texts("deploys.help_title"), blocks=blocks)


def _only(text: str) -> Shown:
    return Shown(text=text, blocks=[section(text)])


def _pager(listed: Listed, texts: Texts) -> Block:
    def turn(text: str, way: str, page: int) -> Block:
        value = f"{page} {listed.domain or ''}".strip()
        return button(text, action=f"{PAGE_ACTION}.{way}", value=value)

    turns = [turn(texts("deploys.previous"), "previous", listed.page - 1)] if listed.page else []
    if (listed.page + 1) * PAGE < listed.total:
        turns.append(turn(texts("deploys.next"), "next", listed.page + 1))
    return actions("deploys.pager", *turns)
