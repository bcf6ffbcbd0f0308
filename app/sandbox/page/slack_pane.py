"""One person's view of Slack, in pieces that the page can replace one by one."""

from typing import Any

from app.sandbox.slack.rendering.render import message_html, view_html
from app.sandbox.slack.rendering.render_broadcast import broadcast_html
from app.sandbox.slack.rendering.viewer import Viewer
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.shapes import Channel, Json, Message, View

RenderedPiece = tuple[Message, Message | None, Json]
"""A rendered piece and its sources: the message, and the root of its thread if that is shown too."""


class SlackPane:
    """One person's Slack. Raises `NotInWorkspace` for somebody who is not in the workspace."""

    def __init__(self, slack: SlackStandIn, user: str) -> None:
        self._slack = slack
        self._person = slack.people.user(user)
        self._rendered: dict[str, RenderedPiece] = {}

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
        shown: dict[str, RenderedPiece] = {}
        for message in self._slack.messages.in_channel(viewer=self._person.id):
            if message.channel not in places:
                continue
            key = f"message:{message.channel}:{message.ts}"
            shown[key] = self._piece(key, message, None, viewer)
            root = self._root(message) if message.broadcast else None
            if root is not None:
                shown[f"{key}:channel"] = self._piece(f"{key}:channel", message, root, viewer)
        self._rendered = shown
        return {key: piece for key, (_, _, piece) in shown.items()}

    def _piece(self, key: str, message: Message, root: Message | None, viewer: Viewer) -> RenderedPiece:
        """With a `root`: the broadcast reply in the channel. Without: the message itself."""
        old = self._rendered.get(key)
        # Messages are frozen: the same objects give the same piece.
        if old and old[0] is message and old[1] is root:
            return old
        if root is None:
            return message, root, _message(message, viewer)
        link = self._slack.permalink(root)
        html = broadcast_html(message, root=root, link=link, viewer=viewer)
        return message, root, {**_message(message, viewer), "thread": None, "html": html}

    def _root(self, message: Message) -> Message | None:
        return self._slack.messages.find(message.channel, message.thread_ts or "")


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
