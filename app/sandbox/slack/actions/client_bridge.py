"""Lets tests and the page call coroutines on the server's loop from any thread or other loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

from aiohttp import web

from app.sandbox.slack.actions.modal_actions import ModalActions
from app.sandbox.slack.actions.user_actions import UserActions
from app.sandbox.slack.delivery.delivery import Delivery, Sent
from app.sandbox.slack.delivery.sockets import Sockets

P = ParamSpec("P")
T = TypeVar("T")

CALL_TIMEOUT_SECONDS: Final = 60.0
"""Real seconds for one action; far beyond any ack."""


class ClientBridge:
    """Each action in two forms: `press` blocks, so never call it on the loop that the app answers on; await
    `press_async` there. See `UserActions`, `ModalActions` and `Sockets`."""

    def __init__(
        self, actions: UserActions, modals: ModalActions, *, sockets: Sockets, delivery: Delivery
    ) -> None:
        self._sockets = sockets
        self._delivery = delivery
        self._loop: asyncio.AbstractEventLoop | None = None
        self.press, self.press_async = self._both(actions.press)
        self.press_in_view, self.press_in_view_async = self._both(actions.press_in_view)
        self.submit, self.submit_async = self._both(modals.submit)
        self.close, self.close_async = self._both(modals.close)
        self.slash, self.slash_async = self._both(actions.slash)
        self.open_home, self.open_home_async = self._both(actions.open_home)
        self.change_channel_id, self.change_channel_id_async = self._both(actions.change_channel_id)
        self.deliver, self.deliver_async = self._both(delivery.deliver)
        self.replay, self.replay_async = self._both(actions.replay)
        self.drop_sockets, self.drop_sockets_async = self._both(sockets.drop)
        self.disconnect_sockets, self.disconnect_sockets_async = self._both(sockets.disconnect)

    @property
    def connected(self) -> int:
        """Sockets that get envelopes."""
        return self._sockets.count

    @property
    def request_url(self) -> str | None:
        """Where interactions go while no socket is connected."""
        return self._delivery.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._delivery.request_url = url

    @property
    def last_sent(self) -> Sent | None:
        """The last signed request, as it went out."""
        return self._delivery.last_sent

    @property
    def ack_seconds(self) -> float:
        """How long a person waits for the app, in real seconds."""
        return self._delivery.ack_seconds

    @ack_seconds.setter
    def ack_seconds(self, seconds: float) -> None:
        self._delivery.ack_seconds = seconds

    def deliver_to_all_sockets(self, *, on: bool = True) -> None:
        """Slack gives an envelope to one socket; to give it to all of them tests more."""
        self._sockets.to_all = on

    async def _remember_loop(self, _app: web.Application) -> None:
        self._loop = asyncio.get_running_loop()

    def _both(
        self, action: Callable[P, Coroutine[Any, Any, T]]
    ) -> tuple[Callable[P, T], Callable[P, Awaitable[T]]]:
        def blocking(*args: P.args, **kwargs: P.kwargs) -> T:
            return asyncio.run_coroutine_threadsafe(action(*args, **kwargs), self._running()).result(
                CALL_TIMEOUT_SECONDS
            )

        async def awaiting(*args: P.args, **kwargs: P.kwargs) -> T:
            future = asyncio.run_coroutine_threadsafe(action(*args, **kwargs), self._running())
            return await asyncio.wrap_future(future)

        return blocking, awaiting

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the stand-in has not been started")
        return self._loop
