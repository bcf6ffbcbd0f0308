"""What one person sees in Slack, in pieces that the page can replace one by one."""

from typing import Any

from app.sandbox.slack.render import message_html, view_html
from app.sandbox.slack.shapes import Channel, Json, Message, View
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.viewer import Viewer


class SlackPane:
    """One person's Slack. Raises `NobodyThere` for somebody who is not in the workspace."""

    def __init__(self, slack: SlackStandIn, user: str) -> None:
        self._slack = slack
        self._person = slack.people.user(user)
        self._drawn: dict[str, tuple[Message, Json]] = {}

    def pieces(self) -> dict[str, Any]:
        """`place:…`, `message:…`, and `modal` and `home` while there is one."""
        viewer = self._slack.viewer(self._person.id)
        places = self._places()
        pieces: dict[str, Any] = {
            f"place:{place.id}": {**_place(place), "order": order} for order, place in enumerate(places)
        }
        pieces |= self._messages(viewer, {place.id for place in places})
        modal, home = self._slack.views.top(self._person.id), self._slack.views.home(self._person.id)
        if modal is not None:
            pieces["modal"] = _view(modal, viewer)
        if home is not None:
            pieces["home"] = _view(home, viewer)
        return pieces

    def _places(self) -> list[Channel]:
        direct = self._slack.people.direct_channel(self._person)
        return [*(place for place in self._slack.people.channels() if not place.is_im), direct]

    def _messages(self, viewer: Viewer, places: set[str]) -> dict[str, Json]:
        shown: dict[str, tuple[Message, Json]] = {}
        for message in self._slack.messages.in_channel(viewer=self._person.id):
            if message.channel not in places:
                continue
            key = f"message:{message.channel}:{message.ts}"
            old = self._drawn.get(key)
            # Messages are frozen: the same object draws the same piece.
            shown[key] = old if old and old[0] is message else (message, _message(message, viewer))
        self._drawn = shown
        return {key: piece for key, (_, piece) in shown.items()}


def _place(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "direct": channel.is_im,
        "name": "Switchgate" if channel.is_im else channel.name,
    }


def _message(message: Message, viewer: Viewer) -> Json:
    return {
        "place": message.channel,
        "ts": message.ts,
        "thread": message.thread_ts if message.is_reply else None,
        "own": message.user == viewer.user,
        "html": message_html(message, viewer=viewer),
    }


def _view(view: View, viewer: Viewer) -> Json:
    return {"id": view.id, "html": view_html(view, viewer=viewer)}
