"""How traffic moves: CodeDeploy's predefined configurations for ECS."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True)
class TrafficConfig:
    """`percent` more every `interval_minutes`; a canary's second step takes all the rest."""

    name: str
    kind: str
    percent: int = 100
    interval_minutes: int = 0

    def steps(self) -> tuple[tuple[float, int], ...]:
        """(seconds after the first step, percent on green), in order, ending at 100."""
        if self.kind == "AllAtOnce":
            return ((0.0, 100),)
        interval = self.interval_minutes * 60.0
        if self.kind == "TimeBasedCanary":
            return ((0.0, self.percent), (interval, 100))
        weights = range(self.percent, 101, self.percent)
        return tuple((number * interval, weight) for number, weight in enumerate(weights))

    def shape(self) -> dict[str, Any]:
        """`deploymentConfigInfo` of GetDeploymentConfig."""
        routing: dict[str, Any] = {"type": self.kind}
        if self.kind == "TimeBasedCanary":
            routing["timeBasedCanary"] = {
                "canaryPercentage": self.percent,
                "canaryInterval": self.interval_minutes,
            }
        if self.kind == "TimeBasedLinear":
            routing["timeBasedLinear"] = {
                "linearPercentage": self.percent,
                "linearInterval": self.interval_minutes,
            }
        return {
            "deploymentConfigId": str(uuid5(NAMESPACE_URL, self.name)),
            "deploymentConfigName": self.name,
            "computePlatform": "ECS",
            "trafficRoutingConfig": routing,
        }


ALL_AT_ONCE: Final = "CodeDeployDefault.ECSAllAtOnce"
CONFIGS: Final = {
    config.name: config
    for config in (
        TrafficConfig(ALL_AT_ONCE, "AllAtOnce"),
        TrafficConfig("CodeDeployDefault.ECSCanary10Percent5Minutes", "TimeBasedCanary", 10, 5),
        TrafficConfig("CodeDeployDefault.ECSCanary10Percent15Minutes", "TimeBasedCanary", 10, 15),
        TrafficConfig("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", "TimeBasedLinear", 10, 1),
        TrafficConfig("CodeDeployDefault.ECSLinear10PercentEvery3Minutes", "TimeBasedLinear", 10, 3),
    )
}
