"""Evidence <-> its stored JSON. AWS's responses themselves are not stored."""

from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.db.mapping.rows import IncoherentRow
from app.gate.evidence.model import Evidence, GreenHealth

T = TypeVar("T")

_EVIDENCE: Final = TypeAdapter(Evidence)
_HEALTH: Final = TypeAdapter(GreenHealth)


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
        return adapter.validate_python(stored)
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        raise IncoherentRow(f"evidence: {error['loc']}: {error['type']}") from None
