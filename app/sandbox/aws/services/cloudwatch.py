"""CloudWatch's one read, JSON 1.0."""

from typing import Any

from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.topology import LOAD_BALANCER_PATH, arn


class CloudWatch:
    """DescribeAlarms: one metric alarm for each domain, no composite ones."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.operations: dict[str, Operation] = {"DescribeAlarms": self.describe_alarms}

    def describe_alarms(self, params: Params) -> dict[str, Any]:
        """By `AlarmNames`, `AlarmNamePrefix` and `StateValue`; at most `MaxRecords` (100)."""
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
        state = params.get("StateValue")
        found = [
            _alarm(group)
            for group in self._account.groups.values()
            if (not names or group.alarm.name in names)
            and group.alarm.name.startswith(prefix)
            and state in (None, group.alarm.state)
        ]
        start, size = int(params.get("NextToken") or 0), int(params.get("MaxRecords") or 100)
        answer: dict[str, Any] = {"MetricAlarms": found[start : start + size], "CompositeAlarms": []}
        if len(found) > start + size:
            answer["NextToken"] = str(start + size)
        return answer


def _alarm(group: Group) -> dict[str, Any]:
    alarm = group.alarm
    return {
        "AlarmName": alarm.name,
        "AlarmArn": arn("cloudwatch", f"alarm:{alarm.name}"),
        "AlarmDescription": f"5xx answers of {group.domain.name} behind the internal load balancer",
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": alarm.updated_at,
        "StateTransitionedTimestamp": alarm.updated_at,
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Namespace": "AWS/ApplicationELB",
        "Statistic": "Sum",
        "Dimensions": [{"Name": "LoadBalancer", "Value": LOAD_BALANCER_PATH}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
