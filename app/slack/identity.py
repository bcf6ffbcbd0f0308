"""Bolt middleware: who sent the request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_bolt.context.async_context import AsyncBoltContext

from app.i18n.catalog import Texts
from app.slack.payload import Body, ack_deadline
from app.slack.users.accounts import Profile
from app.slack.users.directory import Directory


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """The sender. `until`: the event loop's time by which the listener must be ready to ack."""

    profile: Profile
    until: float

    @property
    def texts(self) -> Texts:
        """In the sender's language."""
        return Texts.of(self.profile.locale)


class Identify:
    """Gives a listener its argument `caller`.

    A listener that acks first does without, because it must not wait for users.info.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def identify(
        self, body: Body, context: AsyncBoltContext, next: Callable[[], Awaitable[None]]
    ) -> None:
        """Identity comes from Slack's signed payload, never from a button's value."""
        until = ack_deadline()
        context["caller"] = Caller(profile=await self._directory.profile(body), until=until)
        await next()
