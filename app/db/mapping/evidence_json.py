"""Evidence <-> the JSON that is kept of it. Nothing of AWS's own answers is kept beside it."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from app.db.mapping.rows import IncoherentRow
from app.gate.evidence.model import Evidence

_KEPT: Final = TypeAdapter(Evidence)


def evidence_to_json(evidence: Evidence) -> str:
    """The value of the column `seen`. NUL, which Postgres cannot hold, is dropped."""
    return _KEPT.dump_json(evidence).decode().replace("\\u0000", "")


def evidence_from_json(kept: object) -> Evidence | None:
    """The column's value as it was seen. Raises `IncoherentRow`."""
    if kept is None:
        return None
    try:
        return _KEPT.validate_python(kept)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        raise IncoherentRow(f"evidence: {first['loc']}: {first['type']}") from None
