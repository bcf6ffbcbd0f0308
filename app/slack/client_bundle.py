"""One replica's Slack objects: client, directory, replies, publishers, socket."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import ClientSession, TCPConnector
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp

from app.config.environment import Settings
from app.flow.ports.membership import MembershipRepository
from app.flow.ports.rules import Rules
from app.i18n.catalog import Texts
from app.slack.auth_check import AuthCheck
from app.slack.background import BackgroundTasks
from app.slack.client import RetryAfterTracker, web_client
from app.slack.publishers.announcement import SlackAnnouncer
from app.slack.publishers.card import SlackCardPublisher
from app.slack.publishers.channel_announcement import SlackChannelAnnouncer
from app.slack.publishers.direct_message import SlackMessenger
from app.slack.publishers.timeline import SlackTimelinePublisher
from app.slack.replies import Replies
from app.slack.socket import Socket
from app.slack.users.directory import Directory
from app.slack.users.email_lookup import SlackEmailLookup
from app.workers.foreground import ForegroundTracker

MAX_CONNECTIONS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Publishers:
    """What the workers publish with, and the e-mail look-up."""

    cards: SlackCardPublisher
    timelines: SlackTimelinePublisher
    announcements: SlackAnnouncer
    channel_announcements: SlackChannelAnnouncer
    messenger: SlackMessenger
    email_lookup: SlackEmailLookup


class ClientBundle:
    """Build it inside the running event loop, and close it."""

    def __init__(
        self,
        settings: Settings,
        *,
        members: MembershipRepository,
        foreground: ForegroundTracker,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self._app_token = _secret(settings.slack_app_token)
        self.signing_secret = _secret(settings.slack_signing_secret)
        self.texts = Texts.of(settings.locale)
        self._session = ClientSession(connector=TCPConnector(limit=MAX_CONNECTIONS))
        self.client = web_client(
            token=settings.slack_bot_token.get_secret_value(),
            api_url=settings.slack_api_url,
            session=self._session,
        )
        self.directory = Directory(self.client, clock=clock, locale=settings.locale, repository=members)
        self.auth_check = AuthCheck(self.client, directory=self.directory, app_token=self._app_token)
        self.background = BackgroundTasks(foreground)
        self.replies = Replies(self.client, background=self.background)
        self.retry_after_tracker = RetryAfterTracker(clock)

    def workspace_url(self) -> str | None:
        return self.auth_check.workspace_url

    def publishers(self, rules: Rules) -> Publishers:
        """They share one tracker of Retry-After."""
        return Publishers(
            cards=SlackCardPublisher(
                self.client,
                texts=self.texts,
                rules=rules,
                retry_after_tracker=self.retry_after_tracker,
                clock=self._clock,
            ),
            timelines=SlackTimelinePublisher(
                self.client,
                texts=self.texts,
                rules=rules,
                workspace_url=self.workspace_url,
                retry_after_tracker=self.retry_after_tracker,
            ),
            announcements=SlackAnnouncer(
                self.client,
                texts=self.texts,
                rules=rules,
                workspace_url=self.workspace_url,
                retry_after_tracker=self.retry_after_tracker,
            ),
            channel_announcements=SlackChannelAnnouncer(
                self.client,
                texts=self.texts,
                rules=rules,
                workspace_url=self.workspace_url,
                retry_after_tracker=self.retry_after_tracker,
                clock=self._clock,
            ),
            messenger=SlackMessenger(
                self.client,
                workspace_url=self.workspace_url,
                retry_after_tracker=self.retry_after_tracker,
            ),
            email_lookup=SlackEmailLookup(self.client, clock=self._clock),
        )

    def socket(self, bolt: AsyncApp) -> Socket | None:
        """None in HTTP mode."""
        if self._app_token is None:
            return None
        return Socket(bolt, app_token=self._app_token, clock=self._clock, listening=self.background.listening)

    async def close(self) -> None:
        await self._session.close()


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None
