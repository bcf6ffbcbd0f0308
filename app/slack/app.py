"""The Bolt app and its listeners. Every listener acknowledges the request, also when it fails."""

import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from app.i18n.catalog import Texts
from app.observability.logging import error_id
from app.slack.cards.evidence import DETAILS
from app.slack.cards.secondary_buttons import BREAK_GLASS, RETRACT_VOTE, RUN_CHECKS
from app.slack.commands.deploys import DeploysCommand
from app.slack.commands.lists import PAGE_ACTION
from app.slack.handlers.break_glass import BreakGlassHandler
from app.slack.handlers.bulk_approve import BulkApproveHandler
from app.slack.handlers.checks import ChecksHandler
from app.slack.handlers.details import DetailsHandler
from app.slack.handlers.retract_vote import RetractVoteHandler
from app.slack.handlers.shown_cards import ShownCards
from app.slack.handlers.undo import UndoHandler
from app.slack.handlers.unhandled_requests import UnhandledRequests
from app.slack.handlers.vote import VoteHandler
from app.slack.home.publisher import HomePublisher
from app.slack.home.view import BULK_APPROVE, REFRESH
from app.slack.modals.break_glass import BREAK_GLASS_CALLBACK
from app.slack.modals.bulk_approve import BULK_APPROVE_CALLBACK
from app.slack.modals.reason_form import denial_notice
from app.slack.modals.undo import UNDO_CALLBACK
from app.slack.modals.vote import APPROVE_CALLBACK, REJECT_CALLBACK
from app.slack.replies import Replies
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

Handler = Callable[..., Awaitable[None]]
ANYTHING = re.compile(".*", re.DOTALL)


def build_app(
    *,
    client: AsyncWebClient,
    signing_secret: str | None,
    votes: VoteHandler,
    shown_cards: ShownCards,
    undo: UndoHandler,
    break_glass: BreakGlassHandler,
    retract_vote: RetractVoteHandler,
    checks: ChecksHandler,
    deploys: DeploysCommand,
    details: DetailsHandler,
    home: HomePublisher,
    bulk_approve: BulkApproveHandler,
    directory: Directory,
    replies: Replies,
    channel_id_changed: Callable[[str, str], Awaitable[None]],
) -> AsyncApp:
    """Builds the Bolt app.

    `process_before_response`: the listener commits before it acks; without it Bolt polls for the ack every 10 ms.
    `authorize`: by default Bolt calls auth.test on the first request, and loses the request if that call fails.
    """
    token = client.token

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=directory.enterprise, team_id=directory.team, bot_token=token)

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
    app.error(UnhandledRequests(directory=directory, replies=replies).handle)
    listener = functools.partial(_listener, replies, directory, home)
    listeners = _Listeners(
        votes=votes,
        shown_cards=shown_cards,
        undo=undo,
        break_glass=break_glass,
        retract_vote=retract_vote,
        checks=checks,
        deploys=deploys,
        details=details,
        home=home,
        bulk_approve=bulk_approve,
        directory=directory,
        replies=replies,
        channel_id_changed=channel_id_changed,
    )
    _register(app, listeners, listener)
    return app


def _register(app: AsyncApp, listeners: "_Listeners", listener: Callable[[Handler], Handler]) -> None:
    """Registers a listener for each event, action, view and command that cards, modals and the manifest name."""
    app.event("app_home_opened")(listener(listeners.home_opened))
    app.event("channel_id_changed")(listener(listeners.channel_id_changed))
    app.event(ANYTHING)(listeners.other_event)
    app.action(REFRESH)(listener(listeners.refresh))
    app.action(BULK_APPROVE)(listener(listeners.bulk_approve))
    app.view(BULK_APPROVE_CALLBACK)(listener(listeners.bulk_approve_submitted))
    app.action("approve")(listener(listeners.approve))
    app.action("reject")(listener(listeners.reject))
    app.action(DETAILS)(listener(listeners.details))
    app.action(RETRACT_VOTE)(listener(listeners.retract_vote))
    app.action(RUN_CHECKS)(listener(listeners.run_checks))
    app.action(BREAK_GLASS)(listener(listeners.break_glass))
    app.view(APPROVE_CALLBACK)(listener(listeners.approve_reason))
    app.view(BREAK_GLASS_CALLBACK)(listener(listeners.break_glass_submitted))
    app.action(re.compile(rf"{PAGE_ACTION}\..+"))(listener(listeners.page))
    app.action("undo")(listener(listeners.undo))
    app.action("finish")(listener(listeners.finish))
    app.view(REJECT_CALLBACK)(listener(listeners.reject_reason))
    app.view(UNDO_CALLBACK)(listener(listeners.undo_reason))
    app.command("/deploys")(listener(listeners.command))
    # Cards outlive releases: a button of an older release still gets an answer.
    app.action(ANYTHING)(listener(listeners.old_button))
    app.view(ANYTHING)(listener(listeners.old_view))
    app.view_closed(ANYTHING)(listener(listeners.closed_view))


class _Listeners:
    """Bolt listeners that call the handlers."""

    def __init__(
        self,
        *,
        votes: VoteHandler,
        shown_cards: ShownCards,
        undo: UndoHandler,
        break_glass: BreakGlassHandler,
        retract_vote: RetractVoteHandler,
        checks: ChecksHandler,
        deploys: DeploysCommand,
        details: DetailsHandler,
        home: HomePublisher,
        bulk_approve: BulkApproveHandler,
        directory: Directory,
        replies: Replies,
        channel_id_changed: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._channel_id_changed = channel_id_changed
        self._votes = votes
        self._shown_cards = shown_cards
        self._undo = undo
        self._break_glass = break_glass
        self._retract_vote = retract_vote
        self._checks = checks
        self._deploys = deploys
        self._details = details
        self._home = home
        self._bulk_approve = bulk_approve
        self._directory = directory
        self._replies = replies

    async def home_opened(self, ack: Any, body: Any, payload: Any) -> None:
        await ack()
        if payload.get("tab", "home") == "home":
            self._home.opened(body)

    async def channel_id_changed(self, ack: Any, body: Any, payload: Any) -> None:
        """Commits before it acks, so that Slack repeats the event after a failure."""
        old, new = payload.get("old_channel_id"), payload.get("new_channel_id")
        if old and new:
            await self._channel_id_changed(str(old), str(new))
        await ack()

    async def other_event(self, ack: Any, body: Any, payload: Any) -> None:
        """Acks events without a handler: Slack repeats unacked events, and finally disables them."""
        await ack()

    async def refresh(self, ack: Any, body: Any, payload: Any) -> None:
        await ack()
        self._home.opened(body)

    async def bulk_approve(self, ack: Any, body: Any, payload: Any) -> None:
        await self._bulk_approve.ask(ack, body, payload)

    async def bulk_approve_submitted(self, ack: Any, body: Any, payload: Any) -> None:
        await self._bulk_approve.submitted(ack, body, payload)

    async def approve(self, ack: Any, body: Any, payload: Any) -> None:
        await self._votes.approve(ack, body, payload)

    async def reject(self, ack: Any, body: Any, payload: Any) -> None:
        await self._votes.reject(ack, body, payload)

    async def reject_reason(self, ack: Any, body: Any, payload: Any) -> None:
        await self._votes.reject_reason(ack, body, payload)

    async def undo(self, ack: Any, body: Any, payload: Any) -> None:
        await self._undo.undo(ack, body, payload)
        self._shown_cards.record_place(body, payload)

    async def undo_reason(self, ack: Any, body: Any, payload: Any) -> None:
        await self._undo.undo_reason(ack, body, payload)

    async def finish(self, ack: Any, body: Any, payload: Any) -> None:
        await self._undo.finish(ack, body, payload)
        self._shown_cards.record_place(body, payload)

    async def details(self, ack: Any, body: Any, payload: Any) -> None:
        await self._details.details(ack, body, payload)
        self._shown_cards.record_place(body, payload)

    async def run_checks(self, ack: Any, body: Any, payload: Any) -> None:
        await self._checks.run(ack, body, payload)
        self._shown_cards.record_place(body, payload)

    async def approve_reason(self, ack: Any, body: Any, payload: Any) -> None:
        await self._votes.approve_reason(ack, body, payload)

    async def retract_vote(self, ack: Any, body: Any, payload: Any) -> None:
        await self._retract_vote.retract(ack, body, payload)
        self._shown_cards.record_place(body, payload)

    async def break_glass(self, ack: Any, body: Any, payload: Any) -> None:
        await self._break_glass.ask(ack, body, payload)
        self._shown_cards.record_place(body, payload)

    async def break_glass_submitted(self, ack: Any, body: Any, payload: Any) -> None:
        await self._break_glass.submitted(ack, body, payload)

    async def command(self, ack: Any, body: Any, payload: Any) -> None:
        await self._deploys.command(ack, body)

    async def page(self, ack: Any, body: Any, payload: Any) -> None:
        await self._deploys.page(ack, body, payload)

    async def old_button(self, ack: Any, body: Any, payload: Any) -> None:
        await ack()
        if "url" in payload:
            return  # a link button: Slack opened the link
        texts = Texts.of((await self._directory.profile(body)).locale)
        self._replies.answer(body, texts("refused.old_button"))

    async def old_view(self, ack: Any, body: Any, payload: Any) -> None:
        texts = Texts.of((await self._directory.profile(body)).locale)
        await ack(
            response_action="update",
            view=denial_notice(
                texts("refused.old_form"), title=texts("reject.title"), close=texts("reject.close")
            ),
        )

    async def closed_view(self, ack: Any, body: Any, payload: Any) -> None:
        await ack()


def _listener(replies: Replies, directory: Directory, home: HomePublisher, work: Handler) -> Handler:
    """Catches every exception: Bolt drops the ack of a listener that raises, even one already given."""

    @functools.wraps(work)
    async def listen(ack: Any, body: Any, payload: Any) -> None:
        with replies.background.listening():
            try:
                await work(ack, body, payload)
                home.after(body)
            except Exception:
                short = error_id()
                log.exception("listener_failed", error_id=short, listener=work.__name__)
                if ack.response is None:
                    await ack()
                replies.background.run(_report_error(replies, directory, body, short), what="apology")

    return listen


async def _report_error(replies: Replies, directory: Directory, body: Any, short: str) -> None:
    texts = Texts.of((await directory.profile(body)).locale)
    replies.answer(body, texts("refused.unknown_error", id=short))
