"""Doctor: the EventBridge rule that sends changes of deployments to the hook function."""

import json
from collections.abc import Mapping
from typing import Any, Final

from app.cli.doctor.aws_clients import AwsClients, AwsFailure, refused_read
from app.cli.doctor.findings import Finding, ok, warning

WHAT: Final = "state changes"
SOURCE: Final = "aws.codedeploy"
DETAIL_TYPE: Final = "CodeDeploy Deployment State-change Notification"
LATER: Final = "endings that somebody causes outside Switchgate are noticed up to half a minute later"


def look_at_events(aws: AwsClients, function: str) -> Finding:
    """By ListRuleNamesByTarget and DescribeRule, on the default event bus. `function`: an ARN."""
    try:
        names = aws.events.list_rule_names_by_target(TargetArn=function).get("RuleNames") or []
    except AwsFailure as exc:
        return refused_read(WHAT, "events:ListRuleNamesByTarget", exc)
    try:
        rules = [aws.events.describe_rule(Name=name) for name in names]
    except AwsFailure as exc:
        return refused_read(WHAT, "events:DescribeRule", exc)
    fitting = [rule for rule in rules if _forwards(rule)]
    short = function.rpartition(":")[2]
    if not fitting:
        remedy = f'Add a rule on {{"source": ["{SOURCE}"]}} with {short} as its target.'
        return warning(WHAT, f"no EventBridge rule sends them to {short}: {LATER}", remedy)
    enabled = [str(rule["Name"]) for rule in fitting if str(rule.get("State", "")).startswith("ENABLED")]
    if not enabled:
        name = fitting[0]["Name"]
        return warning(WHAT, f"the EventBridge rule {name} is disabled: {LATER}", "Enable the rule.")
    return ok(WHAT, f"the EventBridge rule {enabled[0]} sends them to {short}")


def _forwards(rule: Mapping[str, Any]) -> bool:
    """Whether the pattern takes all state changes of deployments."""
    try:
        pattern = json.loads(rule.get("EventPattern") or "{}")
    except ValueError:
        return False
    types = pattern.get("detail-type", [DETAIL_TYPE])
    return SOURCE in pattern.get("source", []) and DETAIL_TYPE in types and "detail" not in pattern
