"""Evidence <-> its stored JSON. AWS's responses themselves are not stored."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.db.mapping.rows import IncoherentRow
from app.gate.evidence.model import Evidence, GreenHealth

T = TypeVar("T")

_EVIDENCE: Final = TypeAdapter(Evidence)
_HEALTH: Final = TypeAdapter(GreenHealth)

EARLIER_NAMES: Final = {"seen_at": "collected_at", "why": "reason", "what": "part", "how": "kind"}
"""Names in the evidence of earlier releases -> their successors."""


def evidence_to_json(evidence: Evidence) -> str:
    """The value of the column `seen`. NUL, which Postgres cannot hold, is dropped."""
    return _EVIDENCE.dump_json(evidence).decode().replace("\\u0000", "")


def health_to_json(health: GreenHealth) -> str:
    """The value of the column `live`."""
    return _HEALTH.dump_json(health).decode().replace("\\u0000", "")


def evidence_from_json(stored: object) -> Evidence | None:
    """The evidence in the column. Raises `IncoherentRow`."""
    return _read(_EVIDENCE, stored)


def health_from_json(stored: object) -> GreenHealth | None:
    """Green's health in the column. Raises `IncoherentRow`."""
    return _read(_HEALTH, stored)


def _read(adapter: TypeAdapter[T], stored: object) -> T | None:
    if stored is None:
        return None
    try:
        return adapter.validate_python(_with_current_names(stored))
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        raise IncoherentRow(f"evidence: {error['loc']}: {error['type']}") from None


def _with_current_names(stored: object) -> object:
    """The same evidence under the names of this release."""
    if not isinstance(stored, Mapping):
        return stored
    parts = {name: _renamed(value) for name, value in _renamed(stored).items()}
    for name in ("blue", "green"):
        if isinstance(side := parts.get(name), Mapping):
            parts[name] = {key: _renamed(value) for key, value in side.items()}
    if isinstance(changes := parts.get("changes"), list):
        parts["changes"] = [_renamed(change) for change in changes]
    return parts


def _renamed(value: Any) -> Any:
    """An object's own names; those inside its values stay."""
    if not isinstance(value, Mapping):
        return value
    return {EARLIER_NAMES.get(name, name): inner for name, inner in value.items()}
