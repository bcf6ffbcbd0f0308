"""`/deploys`: what waits, one domain's history, help. Seen by the asker alone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from app.flow.ports import RecordAway, Rules
from app.flow.views import CardPlace, GateView
from app.gate.ids import DomainName
from app.i18n.catalog import Texts
from app.log import error_id
from app.slack.blocks import Block, actions, button, context, divider, header, section
from app.slack.deploys_blocks import decided_line, pending_blocks
from app.slack.directory import Directory
from app.slack.outside import inline

log = structlog.get_logger(__name__)

PAGE: Final = 15
"""Pending switches a page: each takes up to three blocks, and a message holds fifty."""

LAST: Final = 5
PAGE_ACTION: Final = "deploys_page"
ANSWER_SECONDS: Final = 2.5


class PendingGate(Protocol):
    @property
    def view(self) -> GateView: ...

    @property
    def place(self) -> CardPlace | None: ...


class DeploysQuestions(Protocol):
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
    ) -> None:
        """`undo_form` opens the undo's form, or gives what to say instead."""
        self._questions = questions
        self._rules = rules
        self._directory = directory
        self._clock = clock
        self._workspace_url = workspace_url
        self._undo_form = undo_form

    async def command(self, ack: Callable[..., Awaitable[Any]], body: Mapping[str, Any]) -> None:
        """`/deploys [help | DOMAIN]`."""
        user = {"id": body.get("user_id"), "name": body.get("user_name"), "team_id": body.get("team_id")}
        texts = Texts.of((await self._directory.profile(user)).locale)
        shown = await self._answer(
            str(body.get("text") or ""), trigger=str(body.get("trigger_id") or ""), texts=texts
        )
        await ack(text=shown.text, blocks=shown.blocks, response_type="ephemeral")

    async def page(
        self,
        ack: Callable[..., Awaitable[Any]],
        body: Mapping[str, Any],
        action: Mapping[str, Any],
        respond: Any,
    ) -> None:
        """A page button: the same ephemeral message, turned."""
        texts = Texts.of((await self._directory.profile(body["user"])).locale)
        await ack()
        value = str(action.get("value", ""))
        page = int(value) if value.isdigit() and len(value) < 6 else 0
        shown = await self._guarded(self._pending(page=page, texts=texts), texts=texts)
        await respond(text=shown.text, blocks=shown.blocks, replace_original=True)

    async def _answer(self, words: str, *, trigger: str, texts: Texts) -> Shown:
        match words.lower().split():
            case []:
                return await self._guarded(self._pending(page=0, texts=texts), texts=texts)
            case ["help"]:
                return self._help(texts=texts)
            case ["undo", name] if self._rules.domain(DomainName(name)) is not None:
                return await self._guarded(self._undo(name, trigger=trigger, texts=texts), texts=texts)
            case [name] if self._rules.domain(DomainName(name)) is not None:
                return await self._guarded(self._domain(name, texts=texts), texts=texts)
            case _:
                return self._help(texts=texts, unknown=words)

    async def _guarded(self, work: Awaitable[Shown], *, texts: Texts) -> Shown:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await work
        except (RecordAway, TimeoutError):
            return _only(texts("deploys.record_away"))
        except Exception:
            short = error_id()
            log.exception("deploys_failed", error_id=short)
            return _only(texts("refused.unknown_error", id=short))

    async def _pending(self, *, page: int, texts: Texts) -> Shown:
        gates, total = await self._questions.pending(limit=PAGE, offset=page * PAGE)
        if not total:
            return _only(texts("deploys.none"))
        title = texts.plural("deploys.total", count=total)
        blocks = [header(title), *self._gates(gates, texts)]
        pages = -(-total // PAGE)
        if pages > 1:
            first = page * PAGE + 1
            last = page * PAGE + len(gates)
            blocks.append(context(texts("deploys.page", first=first, last=last, total=total)))
            blocks.append(_pager(page, pages, texts))
        return Shown(text=title, blocks=blocks)

    async def _domain(self, name: str, *, texts: Texts) -> Shown:
        gates, total = await self._questions.pending(domain=name, limit=PAGE)
        decided = await self._questions.last_decided(domain=name, limit=LAST)
        title = texts("deploys.domain", domain=name)
        waiting = self._gates(gates, texts) if total else [section(texts("deploys.none_of", domain=name))]
        history = [decided_line(view, texts=texts) for view in decided]
        last = section("\n".join([f"*{texts('deploys.last')}*", *(history or [texts("deploys.never")])]))
        return Shown(text=title, blocks=[header(title), *waiting, divider(), last])

    async def _undo(self, name: str, *, trigger: str, texts: Texts) -> Shown:
        view = await self._questions.last_approved(domain=name)
        if view is None:
            return _only(texts("refused.nothing_to_undo", domain=name))
        return _only(self._undo_form(view, trigger, texts) or texts("deploys.undo_asked", domain=name))

    def _gates(self, gates: Sequence[PendingGate], texts: Texts) -> list[Block]:
        now, base = self._clock(), self._workspace_url()
        return [
            block
            for gate in gates
            for block in pending_blocks(
                gate.view, place=gate.place, rules=self._rules, texts=texts, now=now, base=base
            )
        ]

    def _help(self, *, texts: Texts, unknown: str = "") -> Shown:
        blocks = [section(texts("deploys.help"))]
        if unknown:
            said = texts("deploys.unknown", words=inline(unknown, longest=80))
            return Shown(text=said, blocks=[section(said), *blocks])
        return Shown(text=texts("deploys.help_title"), blocks=blocks)


def _only(text: str) -> Shown:
    return Shown(text=text, blocks=[section(text)])


def _pager(page: int, pages: int, texts: Texts) -> Block:
    turns = []
    if page > 0:
        turns.append(button(texts("deploys.previous"), action=f"{PAGE_ACTION}.previous", value=str(page - 1)))
    if page < pages - 1:
        turns.append(button(texts("deploys.next"), action=f"{PAGE_ACTION}.next", value=str(page + 1)))
    return actions("deploys.pager", *turns)
