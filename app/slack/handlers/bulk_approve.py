"""Approves several gates by one form. Each gate is decided and reported on its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.concurrency.timeouts import run_with_timeout
from app.flow.free_text import has_content
from app.flow.ports.database import DatabaseUnavailable, GateRepository
from app.flow.ports.rules import Rules
from app.gate.votes import Choice
from app.i18n.catalog import Texts
from app.slack.blocks import section
from app.slack.client import SLACK_CALL_ERRORS, error_code_of
from app.slack.handlers.bulk_results import (
    Result,
    bulk_approve_notice,
    recorded_result,
    result_of,
    results_blocks,
    results_text,
)
from app.slack.handlers.vote import VoteHandler
from app.slack.handlers.vote_reply import VoteReply
from app.slack.home.query import HomeQueries, load_domain_choices, load_own_choices
from app.slack.identity import Caller
from app.slack.modals.bulk_approve import BOXES, Pick, bulk_approve_form, picked
from app.slack.modals.reason_form import REASON
from app.slack.payload import Ack, Body, request_key
from app.slack.replies import Replies
from app.slack.text.denials import repeat_after
from app.slack.text.suggestions import named_domains, unknown_names_text
from app.slack.text.truncation import named_list
from app.slack.text.user_input import form_text
from app.slack.users.accounts import Profile, non_member_text
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

LOAD_TIMEOUT_SECONDS: Final = 2.0
VOTE_TIMEOUT_SECONDS: Final = 2.5
TOTAL_TIMEOUT_SECONDS: Final = 9.0
RECHECK_TIMEOUT_SECONDS: Final = 1.0
ACK_MARGIN_SECONDS: Final = 0.7
"""The form shows progress this long before Slack's ack timeout, if votes are still running."""

UPDATE_DELAY_SECONDS: Final = 1.0
"""Slack must have shown the ack's view before views.update, or the older view wins."""


class BulkApproveHandler:
    """Handles `/deploys approve …`, the button in App Home, and the form of both."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        queries: HomeQueries,
        repository: GateRepository,
        votes: VoteHandler,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        workspace_url: Callable[[], str | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._queries = queries
        self._repository = repository
        self._votes = votes
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._workspace_url = workspace_url
        self._clock = clock

    async def command(self, words: Sequence[str], *, body: Body, profile: Profile, texts: Texts) -> str:
        """`/deploys approve order payment`: opens the form, or returns the text to show instead."""
        names = named_domains(words)
        unknown = [name for name in names if self._rules.domain(name) is None]
        if not names:
            return texts("several.how_to")
        if unknown:
            return texts("several.unknown", names=unknown_names_text(unknown, rules=self._rules, texts=texts))
        choices = await load_domain_choices(
            names, profile.person, queries=self._queries, rules=self._rules, now=self._clock()
        )
        if not choices.gates:
            return texts("several.nothing_of", domains=named_list(names, texts=texts))
        waiting = {one.view.switch.domain for one in choices.gates}
        nothing_of = [name for name in names if name not in waiting] if not choices.left_out else []
        form = bulk_approve_form(
            choices, preselect=True, nothing_of=nothing_of, texts=texts, base=self._workspace_url()
        )
        self._replies.open_modal(body, form, not_opened=texts("several.not_opened"))
        return ""

    async def ask(self, ack: Ack, body: Body, action: Mapping[str, Any]) -> None:
        """The button in App Home. Decides nothing, so it acks first."""
        await ack()
        self._replies.background.run(self._show(body), what="several form")

    async def submitted(self, ack: Ack, body: Body, view: Mapping[str, Any], caller: Caller) -> None:
        """The submitted form: approves all ticked gates."""
        profile, texts = caller.profile, caller.texts
        if denial := non_member_text(profile.person, texts=texts):
            notice = bulk_approve_notice([section(denial)], texts=texts)
            await ack(response_action="update", view=notice)
            return
        state = view.get("state") or {}
        picks, reason = picked(state), form_text(state, REASON)
        if not has_content(reason):
            reason = ""
        if not picks:
            await ack(response_action="errors", errors={f"{BOXES}.0": texts("several.none_chosen")})
        elif not reason and any(pick.asks_reason for pick in picks):
            await ack(response_action="errors", errors={REASON: texts("refused.reason_missing")})
        else:
            await self._process(ack, body, view, picks, reason, profile, until=caller.until)

    async def _process(
        self,
        ack: Ack,
        body: Body,
        view: Mapping[str, Any],
        picks: Sequence[Pick],
        reason: str,
        profile: Profile,
        *,
        until: float,
    ) -> None:
        """Acks with the results; if they take too long, acks with a progress notice and updates the view later."""
        texts = Texts.of(profile.locale)
        work = asyncio.create_task(self._decide(picks, reason, profile, texts, request=request_key(body)))
        left = until - ACK_MARGIN_SECONDS - asyncio.get_running_loop().time()
        await asyncio.wait({work}, timeout=max(left, 0))
        if work.done():
            shown = results_blocks(work.result(), texts=texts)
            await ack(response_action="update", view=bulk_approve_notice(shown, texts=texts))
            return
        working = bulk_approve_notice([section(texts("several.working"))], texts=texts)
        await ack(response_action="update", view=working)
        self._replies.background.run(
            self._deliver(body, str(view.get("id")), work, texts), what="several results"
        )

    async def _decide(
        self, picks: Sequence[Pick], reason: str, profile: Profile, texts: Texts, *, request: str
    ) -> list[Result]:
        """Votes for each gate in its own transaction, under the same rules as a vote on the card."""
        clock, began = asyncio.get_running_loop().time, self._clock()
        end = clock() + TOTAL_TIMEOUT_SECONDS
        reply: list[tuple[Pick, VoteReply]] = []
        for pick in picks:
            until = min(end, clock() + VOTE_TIMEOUT_SECONDS)
            one = await self._votes.cast(
                str(pick.action_value), profile, Choice.APPROVE, reason, until=until, request=request
            )
            reply.append((pick, one))
        return list(await asyncio.gather(*(self._result(*one, profile, began, texts) for one in reply)))

    async def _result(
        self, pick: Pick, reply: VoteReply, profile: Profile, began: datetime, texts: Texts
    ) -> Result:
        """After a database error, reads the gate again: the vote may have been saved."""
        person = profile.person.user
        result = result_of(pick, reply, by=person, texts=texts)
        if not reply.retryable:
            return result
        try:
            view = await run_with_timeout(
                RECHECK_TIMEOUT_SECONDS, self._repository.get(pick.action_value.gate)
            )
        except Exception as exc:
            log.warning("approval_unconfirmed", problem=type(exc).__name__, gate=str(pick.action_value.gate))
            return replace(result, words=texts("refused.in_doubt"))
        ids = self._rules.roster().ids(person)
        saved = view is not None and any(
            vote.voter in ids and vote.choice is Choice.APPROVE and vote.at >= began for vote in view.votes
        )
        return recorded_result(view, texts=texts) if view is not None and saved else result

    async def _deliver(
        self, body: Body, view_id: str, work: "asyncio.Task[list[Result]]", texts: Texts
    ) -> None:
        _, results = await asyncio.gather(asyncio.sleep(UPDATE_DELAY_SECONDS), work)
        shown = results_blocks(results, texts=texts)
        try:
            async with asyncio.timeout(3):
                await self._client.views_update(view_id=view_id, view=bulk_approve_notice(shown, texts=texts))
        except SLACK_CALL_ERRORS as exc:
            # The form was closed or Slack failed: send a message instead.
            log.info("bulk_results_sent_by_message", problem=error_code_of(exc))
            self._replies.answer(body, results_text(results, texts=texts), shown)

    async def _show(self, body: Body) -> None:
        profile = await self._directory.profile(body)
        texts = Texts.of(profile.locale)
        if denial := non_member_text(profile.person, texts=texts):
            self._replies.answer(body, denial, repeat_after=repeat_after(None, profile.person))
            return
        seeing = load_own_choices(profile.person, queries=self._queries, rules=self._rules, now=self._clock())
        try:
            choices = await run_with_timeout(LOAD_TIMEOUT_SECONDS, seeing)
        except (DatabaseUnavailable, TimeoutError):
            self._replies.answer(body, texts("deploys.record_away"))
            return
        if not choices.gates:
            self._replies.answer(body, texts("several.none"))
            return
        form = bulk_approve_form(choices, preselect=False, texts=texts, base=self._workspace_url())
        await self._replies.open_modal_now(body, form, not_opened=texts("several.not_opened"))
