"""Overridden rules of a break-glass approval <-> the JSON in the gate's row."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from app.gate.ids import DeploymentId, DomainName
from app.gate.rules.checks import CheckState
from app.gate.rules.traffic_guard import GuardRule
from app.gate.rules.violations import (
    ApprovalsRequired,
    CheckNotPassed,
    ExcludedBySwitch,
    ForeignTargetGroup,
    Frozen,
    GreenReceivesTraffic,
    GreenUnhealthy,
    NotNamed,
    Outvoted,
    OwnSwitch,
    PredecessorPending,
    SecondApproverRequired,
    ShiftUnknown,
    Violation,
)

RULE_NAMES: Final[Mapping[type[Violation], str]] = {
    ApprovalsRequired: "owed",
    SecondApproverRequired: "two_owed",
    Outvoted: "outvoted",
    CheckNotPassed: "check",
    Frozen: "frozen",
    ShiftUnknown: "shift_unknown",
    ExcludedBySwitch: "turn_taken",
    PredecessorPending: "goes_first",
    NotNamed: "not_named",
    OwnSwitch: "own",
    GreenReceivesTraffic: "green_serves",
    ForeignTargetGroup: "traffic_elsewhere",
    GreenUnhealthy: "green_unhealthy",
}


def overridden_rules_to_json(broken: Sequence[Violation]) -> str | None:
    """The value of `gates.broken`; NULL where no rule was overridden."""
    if not broken:
        return None
    rules = [{"rule": RULE_NAMES[type(rule)], **asdict(rule)} for rule in broken]
    return json.dumps(rules, ensure_ascii=False, default=datetime.isoformat)


def overridden_rules_from_json(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Violation, ...]:
    """Raises `KeyError` or `ValueError` where no release wrote such a value."""
    return tuple(_READERS[each["rule"]](each) for each in stored or ())


def blockers_from_json(stored: Sequence[Mapping[str, Any]] | None) -> tuple[GuardRule, ...]:
    """The value of `evidence.blockers`. Raises as `overridden_rules_from_json`."""
    return tuple(_GUARD[each["rule"]](each) for each in stored or ())


def _check(stored: Mapping[str, Any]) -> CheckNotPassed:
    state = stored["state"]
    return CheckNotPassed(name=stored["name"], state=CheckState(state) if state else None)


def _frozen(stored: Mapping[str, Any]) -> Frozen:
    until = datetime.fromisoformat(stored["until"])
    return Frozen(reason=stored["reason"], until=until, by=stored["by"])


def _turn(stored: Mapping[str, Any]) -> ExcludedBySwitch:
    return ExcludedBySwitch(
        domain=DomainName(stored["domain"]),
        deployment=DeploymentId(stored["deployment"]),
        since=datetime.fromisoformat(stored["since"]),
        switched=stored["switched"],
        ahead=tuple(DomainName(name) for name in stored["ahead"]),
    )


def _first(stored: Mapping[str, Any]) -> PredecessorPending:
    return PredecessorPending(
        domain=DomainName(stored["domain"]),
        deployment=DeploymentId(stored["deployment"]),
        waits=stored["waits"],
    )


_GUARD: Final[Mapping[str, Callable[[Mapping[str, Any]], GuardRule]]] = {
    "green_serves": lambda stored: GreenReceivesTraffic(port=stored["port"], percent=stored["percent"]),
    "traffic_elsewhere": lambda stored: ForeignTargetGroup(
        port=stored["port"], percent=stored["percent"], target_groups=tuple(stored["target_groups"])
    ),
    "green_unhealthy": lambda stored: GreenUnhealthy(unhealthy=stored["unhealthy"], total=stored["total"]),
}
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Violation]]] = {
    "owed": lambda stored: ApprovalsRequired(people=tuple(stored["people"]), missing=stored["missing"]),
    "two_owed": lambda stored: SecondApproverRequired(missing=stored["missing"]),
    "outvoted": lambda stored: Outvoted(against=stored["against"]),
    "check": _check,
    "frozen": _frozen,
    "turn_taken": _turn,
    "goes_first": _first,
    "shift_unknown": lambda stored: ShiftUnknown(),
    "not_named": lambda stored: NotNamed(),
    "own": lambda stored: OwnSwitch(),
    **_GUARD,
}
