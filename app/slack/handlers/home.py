"""Handles App Home: opened, and refreshed. A worker publishes it."""

from collections.abc import Mapping
from typing import Any

from app.slack.home.publisher import HomePublisher
from app.slack.payload import Ack, Body


class HomeHandler:
    """Handles the event and the button."""

    def __init__(self, publisher: HomePublisher) -> None:
        self._publisher = publisher

    async def opened(self, ack: Ack, body: Body, event: Mapping[str, Any]) -> None:
        """`app_home_opened`, also for the tab with messages."""
        await ack()
        if event.get("tab", "home") == "home":
            self._publisher.opened(body)

    async def refresh(self, ack: Ack, body: Body) -> None:
        """The Refresh button."""
        await ack()
        self._publisher.opened(body)
