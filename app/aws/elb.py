"""The load balancer's side of the evidence: target health, listeners, names of target groups."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.gate.evidence.model import Listener, Targets


def health_of(answer: Mapping[str, Any]) -> tuple[Targets, ...]:
    """DescribeTargetHealth's answer: each state with its commonest reason, and what is unchecked apart."""
    found: dict[tuple[str, bool], Counter[Targets]] = defaultdict(Counter)
    for target in answer.get("TargetHealthDescriptions") or []:
        health = target.get("TargetHealth") or {}
        one = Targets(
            state=str(health.get("State") or "unknown"),
            count=1,
            reason=str(health.get("Reason") or ""),
            description=str(health.get("Description") or ""),
        )
        found[(one.state, one.unchecked)][one] += 1
    return tuple(
        replace(counted.most_common(1)[0][0], count=counted.total()) for _, counted in sorted(found.items())
    )


def target_group_name(arn: str) -> str:
    """`targetgroup/NAME/0123…` -> NAME"""
    parts = arn.rpartition(":")[2].split("/")
    return parts[1] if len(parts) == 3 else arn


def listener_of(listener: Mapping[str, Any]) -> Listener:
    """One of DescribeListeners, with its default action; its rules are asked for apart."""
    return Listener(
        port=int(listener.get("Port") or 0),
        protocol=str(listener.get("Protocol") or ""),
        weights=_weights(listener.get("DefaultActions") or []),
        arn=str(listener.get("ListenerArn") or ""),
    )


def rules_of(answer: Mapping[str, Any]) -> tuple[tuple[tuple[str, int], ...], ...]:
    """DescribeRules's answer: where each rule beside the default one forwards to."""
    rules = [rule for rule in answer.get("Rules") or [] if not rule.get("IsDefault")]
    found = [_weights(rule.get("Actions") or []) for rule in rules]
    return tuple(weights for weights in found if weights)


def _weights(actions: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, int], ...]:
    shares = [share for action in actions for share in _shares(action)]
    total = sum(weight for _, weight in shares) or 1
    return tuple((target_group_name(arn), _percent(weight, total)) for arn, weight in shares)


def _percent(weight: int, total: int) -> int:
    """However little traffic it is, it is not none."""
    return max(round(100 * weight / total), 1) if weight else 0


def _shares(action: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Where a forward action sends traffic: the weighted form, or the short one of a single group."""
    if action.get("Type") != "forward":
        return
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    for group in groups:
        yield str(group["TargetGroupArn"]), int(group.get("Weight", 1))
