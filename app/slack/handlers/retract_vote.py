"""Handles Retract vote: commit, ack, reply."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from app.concurrency.timeouts import run_until
from app.flow.approval.approval_context import NoSuchGate
from app.flow.approval.request_denied import RequestDenied
from app.flow.approval.retract_vote import retract_vote
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.handlers.save_errors import UNCONFIRMED, save_error_text
from app.slack.handlers.vote_reply import VoteReply
from app.slack.identity import Caller
from app.slack.payload import Ack, Body, request_key
from app.slack.replies import Replies
from app.slack.text.denials import denial_text, repeat_after
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)


class RetractVoteHandler:
    """Handles the button under a voter's own vote."""

    def __init__(
        self,
        *,
        repository: GateRepository,
        rules: Rules,
        replies: Replies,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._rules = rules
        self._replies = replies
        self._wakeups = wakeups
        self._clock = clock

    async def retract(self, ack: Ack, body: Body, action: Mapping[str, Any], caller: Caller) -> None:
        """`take_back`: commits, then acks."""
        reply = await self._retract(action.get("value"), caller, request=request_key(body))
        await ack()
        person = caller.profile.person
        self._replies.answer(body, reply.text, repeat_after=repeat_after(reply.denial, person))

    async def _retract(self, value: object, caller: Caller, *, request: str) -> VoteReply:
        profile, texts = caller.profile, caller.texts
        try:
            gate = ActionValue.parse(value).gate
            retracting = retract_vote(
                gate,
                who=profile.person,
                repository=self._repository,
                rules=self._rules,
                now=self._clock(),
                request=request,
            )
            view = await run_until(caller.until, retracting)
        except InvalidActionValue:
            return self._denied(RequestDenied(NoSuchGate(), None), texts)
        except RequestDenied as exc:
            return self._denied(exc, texts)
        except UNCONFIRMED as exc:
            log.error("vote_not_saved", problem=type(exc).__name__, user=profile.person.user)
            return VoteReply(text=save_error_text(exc, texts=texts), retryable=True)
        self._wakeups.notify("votes_changed")
        domain = view.switch.domain or texts("card.unknown_domain")
        return VoteReply(text=texts("press.taken_back", domain=domain))

    def _denied(self, denied: RequestDenied, texts: Texts) -> VoteReply:
        text = denial_text(denied, texts=texts, approvers=self._rules.admins)
        return VoteReply(text=text, denial=denied.denial)
