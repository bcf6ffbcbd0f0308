"""The overflow menu of a card: what is secondary. One action id; an option's value says which button it stands for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.slack.action_value import InvalidActionValue
from app.slack.blocks import Block, overflow, overflow_option

MORE: Final = "more"
_SHAPE: Final = re.compile(r"(?P<action>[a-z_]{1,30}) (?P<value>\S{1,100})")


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuChoice:
    """The action id that an option stands for, and the value that its button would carry."""

    action: str
    value: str

    def __str__(self) -> str:
        return f"{self.action} {self.value}"

    @classmethod
    def of(cls, action: Mapping[str, Any]) -> "MenuChoice":
        """What was chosen or pressed, by Slack's payload. Raises `InvalidActionValue`."""
        option = action.get("selected_option")
        if option is not None:
            return cls.parse(option.get("value"))
        return cls(action=str(action.get("action_id") or ""), value=str(action.get("value") or ""))

    @classmethod
    def parse(cls, value: object) -> "MenuChoice":
        """Raises `InvalidActionValue`."""
        found = _SHAPE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise InvalidActionValue
        return cls(action=found["action"], value=found["value"])


def as_menu(buttons: Sequence[Block]) -> list[Block]:
    """Up to five buttons as one menu; empty without any."""
    options = [
        overflow_option(
            one["text"]["text"],
            value=str(MenuChoice(action=one["action_id"], value=one["value"])),
            url=one.get("url"),
        )
        for one in buttons
    ]
    return [overflow(MORE, options)] if options else []
