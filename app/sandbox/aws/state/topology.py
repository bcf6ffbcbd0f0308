"""The topology of the stand-in: domains behind one load balancer, and the ARNs of their parts."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import NAMESPACE_URL, uuid5

ACCOUNT: Final = "123456789012"
REGION: Final = "ap-northeast-2"
CLUSTER: Final = "klp-logistics"
LOAD_BALANCER: Final = "klp-logistics-internal"

AUTO_ROLLBACK_EVENTS: Final = (
    "DEPLOYMENT_FAILURE",
    "DEPLOYMENT_STOP_ON_ALARM",
    "DEPLOYMENT_STOP_ON_REQUEST",
)


def arn(service: str, resource: str) -> str:
    """An ARN in the stand-in's one account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def hex_of(text: str) -> str:
    """Sixteen hex digits that are always the same for a text, as ELB puts at the end of its ARNs."""
    return sha256(text.encode()).hexdigest()[:16]


def target_group_arn(name: str) -> str:
    """A target group's ARN, whether or not it is of one of our domains."""
    return arn("elasticloadbalancing", f"targetgroup/{name}/{hex_of(name)}")


LOAD_BALANCER_PATH: Final = f"app/{LOAD_BALANCER}/{hex_of(LOAD_BALANCER)}"
LOAD_BALANCER_ARN: Final = arn("elasticloadbalancing", f"loadbalancer/{LOAD_BALANCER_PATH}")


@dataclass(frozen=True, slots=True)
class SandboxDomain:
    """One domain: a listener port, two target groups, one application and deployment group.

    Empty `application` and `deployment_group` become `klp-logistics-<name>-app` and `-dg`. `hooks` are the
    lifecycle events at which the AppSpec names `hook_function`. `auto_rollback` empty: CodeDeploy rolls
    nothing back by itself. Without a `test_listener` a deployment has six lifecycle events instead of eight.
    `deployed_before` False: CodeDeploy has deployed nothing yet, the service has the tasks it was created with.
    `compute_platform` and `target_type` None: CodeDeploy's answers leave them out, as its model allows.
    """

    name: str
    listener_port: int
    application: str = ""
    deployment_group: str = ""
    config: str = "CodeDeployDefault.ECSAllAtOnce"
    hooks: tuple[str, ...] = ("BeforeAllowTraffic",)
    hook_function: str = "CodeDeployHook_switchgate"
    desired_count: int = 2
    test_listener: bool = True
    auto_rollback: tuple[str, ...] = AUTO_ROLLBACK_EVENTS
    rollback_runs_hooks: bool = True
    alarm_stops: bool = True
    termination_wait_minutes: int = 5
    ready_wait_minutes: int = 0
    task_set_labels: bool = True
    deployed_before: bool = True
    deployment_type: str = "BLUE_GREEN"
    compute_platform: str | None = "ECS"
    target_type: str | None = "ECSTarget"

    def __post_init__(self) -> None:
        object.__setattr__(self, "application", self.application or f"klp-logistics-{self.name}-app")
        object.__setattr__(self, "deployment_group", self.deployment_group or f"klp-logistics-{self.name}-dg")

    @property
    def service(self) -> str:
        """The ECS service, also the family of its task definitions."""
        return f"klp-logistics-{self.name}"

    @property
    def service_arn(self) -> str:
        return arn("ecs", f"service/{CLUSTER}/{self.service}")

    @property
    def target_id(self) -> str:
        """What ListDeploymentTargets calls the service."""
        return f"{CLUSTER}:{self.service}"

    @property
    def target_groups(self) -> tuple[str, str]:
        """Names of the pair; which of them is blue changes with every switch."""
        return f"{self.service}-blue", f"{self.service}-green"

    def target_group_arn(self, index: int) -> str:
        return target_group_arn(self.target_groups[index])

    @property
    def listener_arn(self) -> str:
        """Production traffic."""
        return arn(
            "elasticloadbalancing", f"listener/{LOAD_BALANCER_PATH}/{hex_of(f'{self.name}:production')}"
        )

    @property
    def test_listener_arn(self) -> str:
        return arn("elasticloadbalancing", f"listener/{LOAD_BALANCER_PATH}/{hex_of(f'{self.name}:test')}")

    @property
    def test_listener_port(self) -> int:
        return self.listener_port + 10000

    @property
    def alarm(self) -> str:
        return f"{self.service}-5xx"

    @property
    def group_uuid(self) -> str:
        """`deploymentGroupId`."""
        return str(uuid5(NAMESPACE_URL, self.deployment_group))


EIGHT_DOMAINS: Final = (
    SandboxDomain("auth", 8000),
    SandboxDomain("user", 8010),
    SandboxDomain("order", 8020),
    SandboxDomain("hub", 8030),
    SandboxDomain("delivery", 8040),
    SandboxDomain("notification", 8050),
    SandboxDomain("promotion", 9000),
    SandboxDomain("payment", 9020),
)
