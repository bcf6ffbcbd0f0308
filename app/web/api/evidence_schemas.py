"""What was seen of a switch, in short and as JSON: names and states, never a value of a variable."""

from datetime import datetime

from pydantic import BaseModel

from app.gate.evidence.health import health_of_green
from app.gate.evidence.model import Evidence, Missing
from app.gate.evidence.revision_diff import Change


class ChangeOut(BaseModel):
    """One difference between blue and green. `before` and `after` are null where nothing may be told."""

    what: str
    how: str
    name: str
    container: str
    before: str | None
    after: str | None


class EvidenceOut(BaseModel):
    """As it was seen last before the decision. `missing`: parts that could not be read, and why."""

    seen_at: datetime
    blue: str | None
    green: str | None
    changes: list[ChangeOut] | None
    fit: bool
    findings: list[str]
    missing: dict[str, str]
    compare_url: str | None
    run_url: str | None


def evidence_out(evidence: Evidence) -> EvidenceOut:
    """The evidence, told. `findings` are names of what speaks against green, the worst first."""
    found = health_of_green(evidence)
    changes = evidence.differences
    return EvidenceOut(
        seen_at=evidence.seen_at,
        blue=evidence.blue.task_definition,
        green=evidence.green.task_definition,
        changes=None if isinstance(changes, Missing) else [_change(change) for change in changes],
        fit=found.healthy,
        findings=[finding.name for finding in found.findings],
        missing={part: missing.why.value for part, missing in evidence.missing.items()},
        compare_url=evidence.commits.compare_url,
        run_url=evidence.commits.run_url,
    )


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        what=change.what,
        how=change.how,
        name=change.name,
        container=change.container,
        before=change.before,
        after=change.after,
    )
