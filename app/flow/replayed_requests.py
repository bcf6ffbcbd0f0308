"""A signed request that arrives a second time changes nothing any more, whatever was undone in between."""

from app.gate.rules.denials import Denial


class AlreadyHandled(Denial):
    """This very request was recorded before: a press that takes effect twice would count for the person."""


def refuse_replay(is_replay: bool) -> None:
    """Raises `AlreadyHandled`. Called last, where the request would otherwise take effect."""
    if is_replay:
        raise AlreadyHandled
