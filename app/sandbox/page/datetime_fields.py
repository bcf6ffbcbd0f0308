"""Converts the values of a browser's datetime-local fields to what Slack's client sends."""

from collections.abc import Mapping
from datetime import datetime

from app.sandbox.slack.rendering.viewer import Viewer
from app.sandbox.slack.state.inputs import Filling, fields_of
from app.sandbox.slack.state.shapes import View


def with_datetime_fields(view: View, values: Mapping[str, Filling], *, viewer: Viewer) -> dict[str, Filling]:
    """Converts `2026-11-26T10:00` in a datetimepicker to seconds since the epoch. Other values are unchanged."""
    pickers = {
        name
        for block, element in fields_of(view)
        if element["type"] == "datetimepicker"
        for name in (block["block_id"], element["action_id"])
    }
    return {name: _seconds(value, viewer) if name in pickers else value for name, value in values.items()}


def _seconds(value: Filling, viewer: Viewer) -> Filling:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return ""
    return str(int(moment.replace(tzinfo=viewer.zone).timestamp()))
