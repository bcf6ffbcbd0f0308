"""The stand-in Slack: one workspace and one app, over Slack's own protocols."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Self

from app.sandbox.server import ServerThread
from app.sandbox.slack.actions.client_bridge import ClientBridge
from app.sandbox.slack.actions.modal_actions import ModalActions
from app.sandbox.slack.actions.user_actions import UserActions
from app.sandbox.slack.delivery.delivery import Delivery
from app.sandbox.slack.delivery.payloads import Payloads
from app.sandbox.slack.delivery.sockets import Sockets
from app.sandbox.slack.faults import Faults
from app.sandbox.slack.rendering.viewer import Viewer, viewer_of
from app.sandbox.slack.state.calls import Call, Calls
from app.sandbox.slack.state.clock import Clock
from app.sandbox.slack.state.credentials import Credentials
from app.sandbox.slack.state.ids import with_ids
from app.sandbox.slack.state.shapes import Channel, Json, Message, Shown, User, UserGroup
from app.sandbox.slack.state.workspace import new_workspace
from app.sandbox.slack.web_api.rates import Rates
from app.sandbox.slack.web_api.wire import Wire


class SlackStandIn(ClientBridge):
    """A workspace at `api_url`. Everything may be called from any thread.

    State is in `people`, `messages` and `views`; what goes wrong in `faults` and `rates`; time in `clock`;
    tokens and scopes in `credentials`.

    People act through `press`, `press_in_view`, `submit`, `close`, `slash` and `open_home`
    (`app.sandbox.slack.actions.user_actions`, `…modal_actions`); `replay` is an eavesdropper. Each comes twice:
    `press` blocks, so it must not be called on the loop that the app answers on; `press_async` is to be
    awaited there. They go to one connected socket, else as signed HTTP to `request_url`.
    """

    def __init__(
        self,
        *,
        users: Iterable[User] = (),
        groups: Iterable[UserGroup] = (),
        channels: Iterable[Channel] = (),
        credentials: Credentials | None = None,
        clock: Clock | None = None,
        request_url: str | None = None,
        ack_seconds: float = 3.0,
        on_change: Callable[[], object] | None = None,
        remember: int = 100_000,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """`request_url`: where the app listens in HTTP mode. `ack_seconds`: how long a person waits, really.
        `on_change`: called after every change, in whichever thread. `remember`: how many calls are kept."""
        self.clock = clock or Clock()
        self.credentials = credentials or Credentials()
        self.faults = Faults()
        self.rates = Rates(self.clock)
        self._ws = new_workspace(
            clock=self.clock, credentials=self.credentials, users=users, groups=groups, channels=channels
        )
        self.people, self.messages, self.views = self._ws.people, self._ws.messages, self._ws.views
        self._calls = Calls(self._ws.lock, self.clock, remember=remember)
        sockets = Sockets(faults=self.faults, calls=self._calls, lock=self._ws.lock)
        delivery = Delivery(sockets, credentials=self.credentials, calls=self._calls)
        payloads = Payloads(self._ws)
        actions = UserActions(self._ws, payloads=payloads, delivery=delivery)
        modals = ModalActions(self._ws, payloads=payloads, delivery=delivery)
        super().__init__(actions, modals, sockets=sockets, delivery=delivery)
        self.request_url, self.ack_seconds = request_url, ack_seconds
        wire = Wire(self._ws, sockets=sockets, faults=self.faults, rates=self.rates, calls=self._calls)
        application = wire.application(delivery)
        application.on_startup.append(self._remember_loop)
        self._server = ServerThread(application, host=host, port=port)
        self.url = payloads.base = self._server.url
        self.api_url = f"{self.url}/api/"
        sockets.url = self.url.replace("http://", "ws://", 1)
        if on_change is not None:
            self.listen(on_change)

    def start(self) -> Self:
        """Returns once connections are accepted."""
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def listen(self, listener: Callable[[], object]) -> None:
        """`listener` is called after every change, in whichever thread made it: be quick."""
        self._ws.lock.listen(listener)

    def wait_until(self, predicate: Callable[[], object], timeout: float = 5.0) -> bool:
        """Whether the predicate came true within `timeout` real seconds."""
        return self._ws.lock.wait_until(predicate, timeout)

    async def wait_until_async(self, predicate: Callable[[], object], timeout: float = 5.0) -> bool:
        return await asyncio.to_thread(self.wait_until, predicate, timeout)

    def calls(self, method: str | None = None) -> list[Call]:
        """What the app sent, oldest first; of one method, `response_url` or `ack`, or all."""
        return self._calls.all(method)

    def traffic(self) -> str:
        """Every text that the app sent, to be searched for what must never be sent."""
        return self._calls.traffic()

    def place(
        self,
        channel: str,
        text: str = "",
        blocks: list[Json] | None = None,
        *,
        user: str | None = None,
        metadata: Json | None = None,
    ) -> Message:
        """A message that simply is there: an earlier release's card, or what a person said (`user`)."""
        shown = Shown(text, tuple(with_ids(blocks or [])))
        if user is None:
            return self.messages.post(channel, shown, metadata=metadata)
        return self.messages.post(channel, shown, user=user)

    def permalink(self, message: Message) -> str:
        return self._ws.permalink(message.channel, message.ts)

    def viewer(self, user: str) -> Viewer:
        """The viewer for whom a page is rendered."""
        return viewer_of(self._ws.people, user, now=self.clock.now())
