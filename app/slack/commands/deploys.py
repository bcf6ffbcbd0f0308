"""`/deploys`: pending gates, a domain's history, help. Ephemeral."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import structlog

from app.concurrency.timeouts import run_until
from app.config import reserved_words as own
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName, GateId
from app.gate.people import Person
from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.slack.blocks import section
from app.slack.commands.lists import CommandReply, DeploysLists, DeploysQueries, only
from app.slack.commands.rules import RulesCommand, rules_unavailable_text
from app.slack.handlers.bulk_approve import BulkApproveHandler
from app.slack.handlers.save_errors import UNCONFIRMED
from app.slack.identity import Caller
from app.slack.payload import Ack, Body, ack_deadline, request_key
from app.slack.replies import Replies
from app.slack.text.denials import repeat_after
from app.slack.text.suggestions import named_domains, not_understood, unknown_names_text
from app.slack.text.user_input import command_text
from app.slack.users.accounts import Profile, non_member_text
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

PAGE_NUMBER: Final = re.compile("[0-9]{1,4}")
OpensForm = Callable[[GateId, Profile, Mapping[str, Any]], Awaitable[str]]
"""Opens a form about a gate, or returns the text to show instead."""


class DeploysCommand:
    """Handles `/deploys` and its page buttons."""

    def __init__(
        self,
        *,
        queries: DeploysQueries,
        lists: DeploysLists,
        rules: Rules,
        directory: Directory,
        undo_form: OpensForm,
        withdraw_form: OpensForm,
        replies: Replies,
        rules_command: RulesCommand,
        bulk_approve: BulkApproveHandler,
    ) -> None:
        self._bulk_approve = bulk_approve
        self._replies = replies
        self._rules_command = rules_command
        self._queries = queries
        self._lists = lists
        self._rules = rules
        self._directory = directory
        self._undo_form = undo_form
        self._withdraw_form = withdraw_form

    async def command(self, ack: Ack, body: Body, caller: Caller) -> None:
        """`/deploys [help | DOMAIN | VERB …]`."""
        profile, texts, until = caller.profile, caller.texts, caller.until
        if denial := non_member_text(profile.person, texts=texts):
            await ack(text=denial, response_type="ephemeral")
            return
        text = command_text(body)
        words = text.split()
        verb = words[0].lower() if words else ""
        if verb in own.VERBS:
            said = self._rules_answer(words, body, profile, texts)
            shown = await self._guarded(
                said,
                texts=texts,
                until=until,
                away=lambda exc: rules_unavailable_text(verb, exc, texts=texts),
            )
        elif verb == own.APPROVE:
            approving = self._approve(words[1:], body, profile, texts)
            shown = await self._guarded(approving, texts=texts, until=until)
        else:
            shown = await self._answer(body, text, profile, texts=texts, until=until)
        if shown.text:
            await ack(text=shown.text, blocks=shown.blocks, response_type="ephemeral")
        else:
            await ack()  # a form opens

    async def _approve(
        self, words: Sequence[str], body: Body, profile: Profile, texts: Texts
    ) -> CommandReply:
        return only(
            await self._bulk_approve.command(words, body=body, profile=profile, texts=texts), texts=texts
        )

    async def _rules_answer(
        self, words: Sequence[str], body: Body, profile: Profile, texts: Texts
    ) -> CommandReply:
        said = await self._rules_command.answer(
            words, profile=profile, texts=texts, request=request_key(body)
        )
        return only(said, texts=texts)

    async def page(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """A page button: replaces the ephemeral message with another page."""
        await ack()
        self._replies.background.run(self._show_page(body, str(action.get("value", ""))), what="page")

    async def _show_page(self, body: Body, value: str) -> None:
        until = ack_deadline()
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        if denial := non_member_text(profile.person, texts=texts):
            self._replies.answer(body, denial, repeat_after=repeat_after(None, profile.person))
            return
        number, _, name = value.partition(" ")
        page = int(number) if PAGE_NUMBER.fullmatch(number) else 0
        domain = name if self._rules.domain(DomainName(name)) is not None else None
        work = (
            self._lists.domain(domain, profile.person, page=page, texts=texts)
            if domain
            else self._lists.pending(profile.person, page=page, texts=texts)
        )
        shown = await self._guarded(work, texts=texts, until=until)
        self._replies.replace(body, text=shown.text, blocks=shown.blocks)

    async def _answer(
        self, body: Body, words: str, profile: Profile, *, texts: Texts, until: float
    ) -> CommandReply:
        match words.lower().split():
            case []:
                work = self._lists.pending(profile.person, page=0, texts=texts)
            case [own.HELP]:
                return self._help(texts=texts)
            case [name] if self._rules.domain(DomainName(name)) is not None:
                work = self._lists.domain(name, profile.person, page=0, texts=texts)
            case [own.UNDO, *names]:
                undo = self._undo(named_domains(names), profile, body=body, texts=texts)
                away = texts("refused.nothing_recorded")
                return await self._guarded(undo, texts=texts, until=until, away=lambda exc: away)
            case [own.WITHDRAW, *names]:
                withdrawal = self._withdraw(named_domains(names), profile, body=body, texts=texts)
                away = texts("refused.nothing_recorded")
                return await self._guarded(withdrawal, texts=texts, until=until, away=lambda exc: away)
            case [own.REJECT, *names]:
                # Words after the first are taken for a reason, which cannot be given here.
                work = self._reject(named_domains(names[:1]), profile.person, texts=texts)
            case _:
                return self._help(texts=texts, unknown=words)
        return await self._guarded(work, texts=texts, until=until)

    async def _guarded(
        self,
        work: Coroutine[Any, Any, CommandReply],
        *,
        texts: Texts,
        until: float,
        away: Callable[[Exception], str] | None = None,
    ) -> CommandReply:
        """`away`: the text for an unreachable database, if not the default."""
        try:
            return await run_until(until, work)
        except UNCONFIRMED as exc:
            return only(away(exc) if away is not None else texts("deploys.record_away"), texts=texts)
        except Exception:
            short = error_id()
            log.exception("deploys_failed", error_id=short)
            return only(texts("deploys.failed", id=short), texts=texts)

    async def _undo(
        self, names: Sequence[DomainName], profile: Profile, *, body: Body, texts: Texts
    ) -> CommandReply:
        if unknown := self._unknown(names, texts):
            return only(unknown, texts=texts)
        if len(names) != 1:
            return only(texts("deploys.undo_how_to"), texts=texts)
        view = await self._queries.last_let_through(domain=names[0])
        if view is None:
            return only(texts("deploys.none_to_undo", domain=names[0]), texts=texts)
        return only(await self._undo_form(view.id, profile, body), texts=texts)

    async def _withdraw(
        self, names: Sequence[DomainName], profile: Profile, *, body: Body, texts: Texts
    ) -> CommandReply:
        if unknown := self._unknown(names, texts):
            return only(unknown, texts=texts)
        if len(names) != 1:
            return only(texts("withdraw.how_to"), texts=texts)
        view = await self._lists.to_withdraw(names[0], profile.person)
        if view is None:
            return only(texts("deploys.none_of", domain=names[0]), texts=texts)
        return only(await self._withdraw_form(view.id, profile, body), texts=texts)

    async def _reject(self, names: Sequence[DomainName], person: Person, *, texts: Texts) -> CommandReply:
        """A command rejects nothing: it lists what waits, with cards and buttons."""
        if unknown := self._unknown(names, texts):
            return only(unknown, texts=texts)
        domain = names[0] if len(names) == 1 else None
        said = texts("deploys.reject_on_the_card")
        return await self._lists.with_intro(said, person, domain=domain, texts=texts)

    def _unknown(self, names: Sequence[DomainName], texts: Texts) -> str:
        """The text for unknown domain names; empty if all are known."""
        unknown = [name for name in names if self._rules.domain(name) is None]
        said = unknown_names_text(unknown, rules=self._rules, texts=texts)
        return texts("policy.unknown", names=said) if unknown else ""

    def _help(self, *, texts: Texts, unknown: str = "") -> CommandReply:
        blocks = [section(texts("deploys.help"))]
        if unknown:
            said = not_understood(unknown, rules=self._rules, texts=texts)
            return CommandReply(text=said, blocks=[section(said), *blocks])
        return CommandReply(text=texts("deploys.help_title"), blocks=blocks)
