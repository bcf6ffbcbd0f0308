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
    ApprovalsRequired: "approvals_required",
    SecondApproverRequired: "second_approver_required",
    Outvoted: "outvoted",
    CheckNotPassed: "check_not_passed",
    Frozen: "frozen",
    ShiftUnknown: "shift_unknown",
    ExcludedBySwitch: "excluded_by_switch",
    PredecessorPending: "predecessor_pending",
    NotNamed: "not_named",
    OwnSwitch: "own_switch",
    GreenReceivesTraffic: "green_receives_traffic",
    ForeignTargetGroup: "foreign_target_group",
    GreenUnhealthy: "green_unhealthy",
}


def overridden_rules_to_json(rules: Sequence[Violation]) -> str | None:
    """The value of `gates.overridden_rules`; NULL where no rule was overridden."""
    if not rules:
        return None
    stored = [{"rule": RULE_NAMES[type(rule)], **asdict(rule)} for rule in rules]
    return json.dumps(stored, ensure_ascii=False, default=datetime.isoformat)


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
    "green_receives_traffic": lambda stored: GreenReceivesTraffic(
        port=stored["port"], percent=stored["percent"]
    ),
    "foreign_target_group": lambda stored: ForeignTargetGroup(
        port=stored["port"], percent=stored["percent"], target_groups=tuple(stored["target_groups"])
    ),
    "green_unhealthy": lambda stored: GreenUnhealthy(unhealthy=stored["unhealthy"], total=stored["total"]),
}
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Violation]]] = {
    "approvals_required": lambda stored: ApprovalsRequired(
        people=tuple(stored["people"]), missing=stored["missing"]
    ),
    "second_approver_required": lambda stored: SecondApproverRequired(missing=stored["missing"]),
    "outvoted": lambda stored: Outvoted(against=stored["against"]),
    "check_not_passed": _check,
    "frozen": _frozen,
    "excluded_by_switch": _turn,
    "predecessor_pending": _first,
    "shift_unknown": lambda stored: ShiftUnknown(),
    "not_named": lambda stored: NotNamed(),
    "own_switch": lambda stored: OwnSwitch(),
    **_GUARD,
}
