"""The Bolt app: which handler answers which action, form, command and event."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.listener.async_listener_completion_handler import AsyncCustomListenerCompletionHandler
from slack_sdk.web.async_client import AsyncWebClient

from app.slack.cards.buttons import (
    BREAK_GLASS,
    DETAILS,
    OPEN_CODEDEPLOY,
    RETRACT_VOTE,
    RUN_CHECKS,
    WITHDRAW,
)
from app.slack.cards.overflow import MORE
from app.slack.commands.deploys import DeploysCommand
from app.slack.commands.lists import PAGE_ACTION
from app.slack.handlers.break_glass import BreakGlassHandler
from app.slack.handlers.bulk_approve import BulkApproveHandler
from app.slack.handlers.channels import ChannelsHandler
from app.slack.handlers.checks import ChecksHandler
from app.slack.handlers.details import DetailsHandler
from app.slack.handlers.errors import ErrorHandler
from app.slack.handlers.home import HomeHandler
from app.slack.handlers.more import MoreHandler, follow_link
from app.slack.handlers.retract_vote import RetractVoteHandler
from app.slack.handlers.shown_cards import ShownCards
from app.slack.handlers.undo import UndoHandler
from app.slack.handlers.vote import VoteHandler
from app.slack.handlers.withdraw import WithdrawHandler
from app.slack.home.publisher import HomePublisher
from app.slack.home.view import BULK_APPROVE, REFRESH
from app.slack.identity import Identify
from app.slack.log_context import bind_gate
from app.slack.modals.break_glass import BREAK_GLASS_CALLBACK
from app.slack.modals.bulk_approve import BULK_APPROVE_CALLBACK
from app.slack.modals.undo import UNDO_CALLBACK
from app.slack.modals.vote import APPROVE_CALLBACK, REJECT_CALLBACK
from app.slack.modals.withdraw import WITHDRAW_CALLBACK
from app.slack.payload import Body
from app.slack.replies import Replies
from app.slack.users.directory import Directory

Listener = Callable[..., Awaitable[None]]
Listeners = Mapping[str | re.Pattern[str], Listener]


@dataclass(frozen=True, kw_only=True, slots=True)
class Handlers:
    """Whose methods are the listeners."""

    votes: VoteHandler
    undo: UndoHandler
    break_glass: BreakGlassHandler
    retract_vote: RetractVoteHandler
    withdraw: WithdrawHandler
    checks: ChecksHandler
    details: DetailsHandler
    bulk_approve: BulkApproveHandler
    deploys: DeploysCommand
    home: HomeHandler
    channels: ChannelsHandler


def register_listeners(app: AsyncApp, handlers: Handlers, *, identify: Listener) -> None:
    """A new button, form, command or event is a row here. Their ids are a contract: cards outlive releases."""
    votes, undo, glass, bulk = handlers.votes, handlers.undo, handlers.break_glass, handlers.bulk_approve
    more = MoreHandler(
        retract_vote=handlers.retract_vote,
        withdraw=handlers.withdraw,
        checks=handlers.checks,
        break_glass=glass,
        undo=undo,
    )
    actions: Listeners = {
        "approve": votes.approve,
        "reject": votes.reject,
        "undo": undo.undo,
        "finish": undo.finish,
        DETAILS: handlers.details.details,
        RETRACT_VOTE: handlers.retract_vote.retract,
        WITHDRAW: handlers.withdraw.ask,
        BREAK_GLASS: glass.ask,
        RUN_CHECKS: handlers.checks.run,
        MORE: more.chosen,
        OPEN_CODEDEPLOY: follow_link,
        BULK_APPROVE: bulk.ask,
        REFRESH: handlers.home.refresh,
        re.compile(rf"{PAGE_ACTION}\..+"): handlers.deploys.page,
    }
    views: Listeners = {
        APPROVE_CALLBACK: votes.approve_reason,
        REJECT_CALLBACK: votes.reject_reason,
        UNDO_CALLBACK: undo.undo_reason,
        BREAK_GLASS_CALLBACK: glass.submitted,
        BULK_APPROVE_CALLBACK: bulk.submitted,
        WITHDRAW_CALLBACK: handlers.withdraw.submitted,
    }
    commands: Listeners = {"/deploys": handlers.deploys.command}
    events: Listeners = {
        "app_home_opened": handlers.home.opened,
        "channel_id_changed": handlers.channels.id_changed,
    }
    for register, table in (
        (app.action, actions),
        (app.view, views),
        (app.command, commands),
        (app.event, events),
    ):
        for name, listener in table.items():
            # As Bolt passes arguments by name: who asks for the caller is called once the caller is known.
            takes_caller = "caller" in inspect.signature(listener).parameters
            register(name, middleware=[identify] if takes_caller else None)(listener)


def build_app(
    *,
    client: AsyncWebClient,
    signing_secret: str | None,
    handlers: Handlers,
    home: HomePublisher,
    shown_cards: ShownCards,
    directory: Directory,
    replies: Replies,
) -> AsyncApp:
    """Builds the Bolt app.

    `process_before_response`: the listener commits before it acks; without it Bolt polls for the ack every 10 ms.
    `authorize`: by default Bolt calls auth.test on the first request, and loses the request if that call fails.
    """
    token = client.token

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=directory.enterprise, team_id=directory.team, bot_token=token)

    async def completed(body: Body, action: Mapping[str, Any] | None) -> None:
        """After every listener, whether or not it raised."""
        home.after(body)
        if action is not None:
            shown_cards.record_place(body, action)

    tokenless = AsyncWebClient(base_url=client.base_url, session=client.session, timeout=client.timeout)
    app = AsyncApp(
        client=tokenless,
        authorize=authorize,
        signing_secret=signing_secret or "socket-mode-needs-none",
        process_before_response=True,
        request_verification_enabled=signing_secret is not None,
        ssl_check_enabled=True,
        raise_error_for_unhandled_request=True,
    )
    app.middleware(bind_gate)
    app.error(ErrorHandler(directory=directory, replies=replies).handle)
    app.listener_runner.listener_completion_handler = AsyncCustomListenerCompletionHandler(
        app.logger, completed
    )
    register_listeners(app, handlers, identify=Identify(directory).identify)
    return app
