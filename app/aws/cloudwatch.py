"""CloudWatch's side of the evidence: the alarms that CodeDeploy watches."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.gate.evidence.model import ABSENT, Alarm


def alarms_of(answer: Mapping[str, Any], names: Sequence[str]) -> tuple[Alarm, ...]:
    """DescribeAlarms's answer for these names, in their order; one that CloudWatch does not know is absent."""
    found = [*(answer.get("MetricAlarms") or []), *(answer.get("CompositeAlarms") or [])]
    known = {str(alarm["AlarmName"]): alarm for alarm in found}
    return tuple(_alarm(name, known.get(name)) for name in names)


def _alarm(name: str, alarm: Mapping[str, Any] | None) -> Alarm:
    if alarm is None:
        return Alarm(name=name, state=ABSENT)
    return Alarm(
        name=name,
        state=str(alarm.get("StateValue") or ""),
        reason=str(alarm.get("StateReason") or ""),
        since=alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp"),
    )
