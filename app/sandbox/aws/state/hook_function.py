"""The hook's Lambda function and the EventBridge rules that have it as their target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.sandbox.aws.state.roles import HOOK_ROLE
from app.sandbox.aws.state.topology import arn

FUNCTION: Final = "CodeDeployHook_switchgate"
STATE_CHANGES: Final[Mapping[str, Any]] = {
    "source": ["aws.codedeploy"],
    "detail-type": ["CodeDeploy Deployment State-change Notification"],
}


@dataclass(eq=False)
class LambdaFunction:
    """A function's configuration. `environment` is asked anew for each read."""

    name: str = FUNCTION
    role: str = HOOK_ROLE
    timeout: int = 60
    environment: Callable[[], Mapping[str, str]] = dict

    @property
    def arn(self) -> str:
        return arn("lambda", f"function:{self.name}")


@dataclass(eq=False)
class EventRule:
    """A rule of the default event bus."""

    name: str = "klp-logistics-switchgate"
    enabled: bool = True
    pattern: Mapping[str, Any] = field(default_factory=lambda: dict(STATE_CHANGES))
    targets: tuple[str, ...] = (arn("lambda", f"function:{FUNCTION}"),)


class HookSetup:
    """What stands around the hook. May be changed while the stand-in runs."""

    def __init__(self) -> None:
        self.functions = {FUNCTION: LambdaFunction()}
        self.rules = [EventRule()]

    def function(self, name: str) -> LambdaFunction | None:
        """By its name or its ARN."""
        return self.functions.get(name.rpartition(":function:")[2])
