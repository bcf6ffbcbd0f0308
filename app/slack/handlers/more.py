"""Handles the overflow menu of a card: each option does what its button does. And links, which need an ack only."""

from collections.abc import Mapping
from typing import Any

from app.slack.action_value import InvalidActionValue
from app.slack.cards.buttons import BREAK_GLASS, RETRACT_VOTE, RUN_CHECKS, UNDO, WITHDRAW
from app.slack.cards.overflow import MenuChoice
from app.slack.handlers.break_glass import BreakGlassHandler
from app.slack.handlers.checks import ChecksHandler
from app.slack.handlers.retract_vote import RetractVoteHandler
from app.slack.handlers.undo import UndoHandler
from app.slack.handlers.withdraw import WithdrawHandler
from app.slack.identity import Caller
from app.slack.payload import Ack, Body


class MoreHandler:
    """Passes a choice on to the button's own handler."""

    def __init__(
        self,
        *,
        retract_vote: RetractVoteHandler,
        withdraw: WithdrawHandler,
        checks: ChecksHandler,
        break_glass: BreakGlassHandler,
        undo: UndoHandler,
    ) -> None:
        self._retract_vote = retract_vote
        self._withdraw = withdraw
        self._checks = checks
        self._break_glass = break_glass
        self._undo = undo

    async def chosen(self, ack: Ack, body: Body, action: Mapping[str, Any], caller: Caller) -> None:
        """`more` on a card. An option that is a link needs an ack only, as one that is not known any more."""
        try:
            choice = MenuChoice.of(action)
        except InvalidActionValue:
            await ack()
            return
        pressed = {"value": choice.value}
        if choice.action == RETRACT_VOTE:
            await self._retract_vote.retract(ack, body, pressed, caller)
        elif choice.action == WITHDRAW:
            await self._withdraw.ask(ack, body, pressed)
        elif choice.action == RUN_CHECKS:
            await self._checks.run(ack, body, pressed, caller)
        elif choice.action == BREAK_GLASS:
            await self._break_glass.ask(ack, body, pressed)
        elif choice.action == UNDO:
            await self._undo.undo(ack, body, pressed)
        else:
            await ack()


async def follow_link(ack: Ack) -> None:
    """Slack's client has opened the address already."""
    await ack()
