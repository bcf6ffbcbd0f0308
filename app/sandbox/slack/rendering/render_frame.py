"""Where an element is rendered, and what it says about itself.

Every one that can be pressed says so in `data-` attributes: `data-action-id`, `data-block-id`, `data-value`; in a
message `data-channel` and `data-ts`, in a view `data-view-id`; and where it asks back first `data-confirm-title`,
`-text` (HTML), `-yes`, `-no`, `-style`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.slack.rendering.emoji import with_emoji
from app.sandbox.slack.rendering.html import NOTHING, Html, safe
from app.sandbox.slack.rendering.mrkdwn import mrkdwn_html
from app.sandbox.slack.rendering.viewer import Viewer
from app.sandbox.slack.state.shapes import Json

Attributes = dict[str, str | bool | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """The context of rendering. `place`: the attributes that name the message or view.

    `values`: what was typed so far, by block id, so that re-rendering a form loses nothing. `labelled`: whether a label
    is around the element.
    """

    viewer: Viewer
    place: Attributes
    values: Mapping[str, str]
    labelled: bool = False


def text_html(text: Any, frame: Frame) -> Html:
    """A plain_text or mrkdwn object."""
    if not isinstance(text, dict):
        return NOTHING
    if text["type"] == "plain_text":
        shown = with_emoji(text["text"]) if text.get("emoji", True) else safe(text["text"])
        return Html(shown.replace("\n", "<br>"))
    return mrkdwn_html(text["text"], viewer=frame.viewer, verbatim=bool(text.get("verbatim")))


def about(element: Json, block_id: str, frame: Frame) -> Attributes:
    """The attributes of anything that can be pressed or filled in."""
    return {
        "data-action-id": element.get("action_id"),
        "data-block-id": block_id,
        **frame.place,
        **_confirm(element.get("confirm"), frame),
    }


def _confirm(confirm: Any, frame: Frame) -> Attributes:
    if not isinstance(confirm, dict):
        return {}
    return {
        "data-confirm-title": confirm["title"]["text"],
        "data-confirm-text": text_html(confirm["text"], frame),
        "data-confirm-yes": confirm["confirm"]["text"],
        "data-confirm-no": confirm["deny"]["text"],
        "data-confirm-style": confirm.get("style", "primary"),
    }
