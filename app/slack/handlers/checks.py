"""Handles Run checks: runs the probes again."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from app.concurrency.timeouts import run_until
from app.flow.checks.run_probe import ProbeRepository, run_checks_again
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.gate.ids import GateId
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.handlers.save_errors import UNCONFIRMED, save_error_text
from app.slack.identity import Caller
from app.slack.payload import Ack, Body
from app.slack.replies import Replies
from app.slack.text.denials import repeat_after
from app.slack.users.accounts import non_member_text
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)


class ChecksHandler:
    """Handles the button. Any full member may use it: it changes nothing."""

    def __init__(
        self,
        *,
        repository: GateRepository,
        probes: ProbeRepository,
        rules: Rules,
        replies: Replies,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._probes = probes
        self._rules = rules
        self._replies = replies
        self._wakeups = wakeups
        self._clock = clock

    async def run(self, ack: Ack, body: Body, action: Mapping[str, Any], caller: Caller) -> None:
        """`run_checks` on a card."""
        text = await self._run(action.get("value"), caller)
        await ack()
        if text:
            self._replies.answer(body, text, repeat_after=repeat_after(None, caller.profile.person))

    async def _run(self, value: object, caller: Caller) -> str:
        profile, texts = caller.profile, caller.texts
        if denial := non_member_text(profile.person, texts=texts):
            return denial
        try:
            gate = ActionValue.parse(value).gate
            runs = await run_until(caller.until, self._run_again(gate))
        except InvalidActionValue:
            return texts("refused.no_such_gate")
        except UNCONFIRMED as exc:
            return save_error_text(exc, texts=texts)
        if runs is None:
            return texts("refused.no_such_gate")
        if not runs:
            return texts("press.checks_run_already")
        log.info("checks_requested", gate=str(gate), user=profile.person.user)
        self._wakeups.notify("probes_requested")
        return ""

    async def _run_again(self, gate: GateId) -> bool | None:
        """Whether the probes run again; None if there is no such gate."""
        view = await self._repository.get(gate)
        if view is None:
            return None
        return await run_checks_again(view, repository=self._probes, rules=self._rules, now=self._clock())
