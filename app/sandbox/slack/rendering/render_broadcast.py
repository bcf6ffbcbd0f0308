"""Renders a broadcast reply in the channel: the same message, under a line that names its thread."""

from app.sandbox.slack.rendering.html import Html, tag
from app.sandbox.slack.rendering.mrkdwn import mrkdwn_html
from app.sandbox.slack.rendering.render import message_html
from app.sandbox.slack.rendering.viewer import Viewer
from app.sandbox.slack.rendering.words import words_of
from app.sandbox.slack.state.shapes import Message


def broadcast_html(message: Message, *, root: Message, link: str, viewer: Viewer) -> str:
    """As the channel shows it; its thread shows it with `message_html`. `link`: the root's permalink."""
    return message_html(message, viewer=viewer, above=_replied(root, link, viewer))


def _replied(root: Message, link: str, viewer: Viewer) -> Html:
    begins = root.text.strip().partition("\n")[0]
    to_it = {"class": "sl-link", "href": link, "target": "_blank", "rel": "noopener noreferrer"}
    return tag(
        "div",
        {"class": "sl-replied"},
        tag("a", {**to_it}, words_of(viewer)["replied"]),
        " ",
        tag("span", {"dir": "auto"}, mrkdwn_html(begins, viewer=viewer)),
    )
