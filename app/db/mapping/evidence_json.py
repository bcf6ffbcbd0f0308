"""Evidence <-> its stored JSON. AWS's responses themselves are not stored."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from app.db.mapping.rows import IncoherentRow
from app.gate.evidence.model import Evidence

_EVIDENCE: Final = TypeAdapter(Evidence)


def evidence_to_json(evidence: Evidence) -> str:
    """The value of the column `seen`. NUL, which Postgres cannot hold, is dropped."""
    return _EVIDENCE.dump_json(evidence).decode().replace("\\u0000", "")


def evidence_from_json(stored: object) -> Evidence | None:
    """The evidence in the column. Raises `IncoherentRow`."""
    if stored is None:
        return None
    try:
        return _EVIDENCE.validate_python(stored)
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        raise IncoherentRow(f"evidence: {error['loc']}: {error['type']}") from None
