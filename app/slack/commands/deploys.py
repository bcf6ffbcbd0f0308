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
from app.slack.commands.lists import CommandReply, DeploysLists, only
from app.slack.commands.notify import NotifyCommand
from app.slack.commands.rollback import RollbackCommand
from app.slack.commands.rules import RulesCommand, rules_unavailable_text
from app.slack.commands.subcommands import read_subcommand
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
        lists: DeploysLists,
        rules: Rules,
        directory: Directory,
        withdraw_form: OpensForm,
        replies: Replies,
        rules_command: RulesCommand,
        rollback: RollbackCommand,
        bulk_approve: BulkApproveHandler,
        notify_command: NotifyCommand,
    ) -> None:
        self._rollback = rollback
        self._bulk_approve = bulk_approve
        self._notify_command = notify_command
        self._replies = replies
        self._rules_command = rules_command
        self._lists = lists
        self._rules = rules
        self._directory = directory
        self._withdraw_form = withdraw_form

    async def command(self, ack: Ack, body: Body, caller: Caller) -> None:
        """`/deploys [DOMAIN | SUBCOMMAND …]`."""
        profile, texts, until = caller.profile, caller.texts, caller.until
        if denial := non_member_text(profile.person, texts=texts):
            await ack(text=denial, response_type="ephemeral")
            return
        text = command_text(body)
        verb, words = read_subcommand(text.split(), is_domain=self._is_domain)
        if verb in own.VERBS:
            said = self._rules_answer(verb, words, body, profile, texts)
            shown = await self._guarded(
                said,
                texts=texts,
                until=until,
                away=lambda exc: rules_unavailable_text(verb, exc, texts=texts),
            )
        elif verb == own.APPROVE:
            approving = self._approve(words, body, profile, texts)
            shown = await self._guarded(approving, texts=texts, until=until)
        elif verb == own.UNDO:
            undo = self._rollback.answer(words, body=body, profile=profile, texts=texts)
            shown = await self._form(undo, texts=texts, until=until)
        elif verb == own.WITHDRAW:
            withdrawal = self._withdraw(named_domains(words), profile, body=body, texts=texts)
            shown = await self._form(withdrawal, texts=texts, until=until)
        elif verb == own.NOTIFY:
            notifying = self._notify(words, profile, texts)
            shown = await self._guarded(notifying, texts=texts, until=until)
        else:
            shown = await self._answer(verb, words, text, profile, texts=texts, until=until)
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

    async def _notify(self, words: Sequence[str], profile: Profile, texts: Texts) -> CommandReply:
        return only(await self._notify_command.answer(words, profile=profile, texts=texts), texts=texts)

    async def _rules_answer(
        self, verb: str, words: Sequence[str], body: Body, profile: Profile, texts: Texts
    ) -> CommandReply:
        said = await self._rules_command.answer(
            verb, words, profile=profile, texts=texts, request=request_key(body)
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
        self, verb: str, words: Sequence[str], text: str, profile: Profile, *, texts: Texts, until: float
    ) -> CommandReply:
        match verb, [word.lower() for word in words]:
            case (("" | own.LIST), []):
                work = self._lists.pending(profile.person, page=0, texts=texts)
            case (("" | own.LIST), [name]) if self._is_domain(DomainName(name)):
                work = self._lists.domain(name, profile.person, page=0, texts=texts)
            case own.HELP, []:
                return self._help(texts=texts)
            case own.REJECT, names:
                # Words after the first are taken for a reason, which cannot be given here.
                work = self._reject(named_domains(names[:1]), profile.person, texts=texts)
            case own.LIST, names:
                return self._help(texts=texts, unknown=" ".join(names))
            case _:
                return self._help(texts=texts, unknown=text)
        return await self._guarded(work, texts=texts, until=until)

    def _is_domain(self, name: DomainName) -> bool:
        return self._rules.domain(name) is not None

    async def _form(
        self, opening: Coroutine[Any, Any, CommandReply], *, texts: Texts, until: float
    ) -> CommandReply:
        away = texts("refused.nothing_recorded")
        return await self._guarded(opening, texts=texts, until=until, away=lambda exc: away)

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
