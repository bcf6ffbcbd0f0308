"""The value of a button or modal: the gate and its version. Holds no identity and no secret."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.gate.ids import GateId

_GATE: Final = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_SHAPE: Final = re.compile(_GATE + r"\.([0-9]{1,6})")


class InvalidActionValue(ValueError):
    """The value was written by another version, or was altered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionValue:
    gate: GateId
    prompt_version: int

    def __str__(self) -> str:
        return f"{self.gate}.{self.prompt_version}"

    @classmethod
    def parse(cls, value: object) -> "ActionValue":
        """Raises `InvalidActionValue`."""
        found = _SHAPE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise InvalidActionValue
        return cls(gate=GateId(UUID(found[1])), prompt_version=int(found[2]))


def gates_named_in(text: str) -> set[GateId]:
    """The gates of the action values in a button's value, a menu's option or a form's metadata."""
    return {GateId(UUID(found[1])) for found in _SHAPE.finditer(text)}
