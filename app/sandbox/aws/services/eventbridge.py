"""EventBridge's reads of the default event bus, JSON 1.1."""

import json
from typing import Any, Final

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.hook_function import HookSetup
from app.sandbox.aws.state.topology import arn

DEFAULT_BUS: Final = "default"


class EventBridge:
    """ListRuleNamesByTarget and DescribeRule."""

    def __init__(self, setup: HookSetup) -> None:
        self._setup = setup
        self.operations: dict[str, Operation] = {
            "ListRuleNamesByTarget": self.list_rule_names_by_target,
            "DescribeRule": self.describe_rule,
        }

    def list_rule_names_by_target(self, params: Params) -> dict[str, Any]:
        target = params.get("TargetArn")
        if not target:
            raise AwsError("ValidationException", "1 validation error detected: 'targetArn' must not be null")
        return {"RuleNames": [rule.name for rule in self._setup.rules if target in rule.targets]}

    def describe_rule(self, params: Params) -> dict[str, Any]:
        name = params.get("Name")
        for rule in self._setup.rules:
            if rule.name == name:
                return {
                    "Name": rule.name,
                    "Arn": arn("events", f"rule/{rule.name}"),
                    "EventPattern": json.dumps(rule.pattern),
                    "State": "ENABLED" if rule.enabled else "DISABLED",
                    "EventBusName": DEFAULT_BUS,
                }
        raise AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")
