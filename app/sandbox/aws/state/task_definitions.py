"""Revisions of every domain's task definition, as ECS describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from app.sandbox.aws.state.topology import ACCOUNT, REGION, SandboxDomain, arn

FIRST_REVISION: Final = 41


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One revision. `environment` holds values that ECS gives to whoever may read it: they may be secret.

    `definition` and `container` are fields of ECS's own shapes that replace or add to those given here.
    """

    domain: SandboxDomain
    revision: int
    image_tag: str
    registered_at: float
    environment: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    cpu: str = "512"
    memory: str = "1024"
    command: tuple[str, ...] = ()
    more_tags: Mapping[str, str] = field(default_factory=dict)
    definition: Mapping[str, Any] = field(default_factory=dict, repr=False)
    container: Mapping[str, Any] = field(default_factory=dict, repr=False)
    status: str = "ACTIVE"

    @property
    def arn(self) -> str:
        return arn("ecs", f"task-definition/{self.domain.service}:{self.revision}")

    @property
    def image(self) -> str:
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/klp-logistics/{self.domain.name}:{self.image_tag}"

    def shape(self) -> dict[str, Any]:
        """`taskDefinition` of DescribeTaskDefinition."""
        family = self.domain.service
        return {
            "taskDefinitionArn": self.arn,
            "family": family,
            "revision": self.revision,
            "networkMode": "awsvpc",
            "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{family}-task",
            "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/klp-logistics-ecs-execution",
            "cpu": self.cpu,
            "memory": self.memory,
            "status": self.status,
            "requiresCompatibilities": ["FARGATE"],
            "registeredAt": self.registered_at,
            "registeredBy": f"arn:aws:sts::{ACCOUNT}:assumed-role/github-actions/deploy-{self.domain.name}",
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "volumes": [],
            "placementConstraints": [],
            "containerDefinitions": [self._container() | dict(self.container)],
        } | dict(self.definition)

    def tags(self) -> list[dict[str, str]]:
        tags = {"git-sha": self.git_sha, "domain": self.domain.name, **self.more_tags}
        return [{"key": key, "value": value} for key, value in tags.items()]

    @property
    def git_sha(self) -> str:
        return sha256(f"{self.domain.name}:{self.image_tag}".encode()).hexdigest()[:40]

    def _container(self) -> dict[str, Any]:
        return {
            "name": self.domain.name,
            "image": self.image,
            "cpu": 0,
            "portMappings": [
                {
                    "containerPort": self.domain.listener_port,
                    "hostPort": self.domain.listener_port,
                    "protocol": "tcp",
                }
            ],
            "essential": True,
            "environment": [{"name": name, "value": value} for name, value in self.environment.items()],
            "secrets": [{"name": name, "valueFrom": source} for name, source in self.secrets.items()],
            "command": list(self.command),
            "mountPoints": [],
            "volumesFrom": [],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": f"/ecs/{self.domain.service}",
                    "awslogs-region": REGION,
                    "awslogs-stream-prefix": self.domain.name,
                },
            },
        }


class TaskDefinitions:
    """Every revision registered, by ARN."""

    def __init__(self) -> None:
        self._by_arn: dict[str, TaskDefinition] = {}
        self._latest: dict[str, TaskDefinition] = {}

    def register(
        self,
        domain: SandboxDomain,
        *,
        at: float,
        image_tag: str = "",
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        cpu: str = "",
        memory: str = "",
        command: tuple[str, ...] | None = None,
        tags: Mapping[str, str] | None = None,
        definition: Mapping[str, Any] | None = None,
        container: Mapping[str, Any] | None = None,
    ) -> TaskDefinition:
        """The next revision; what is not given is as in the one before."""
        before = self._latest.get(domain.service)
        revision = before.revision + 1 if before else FIRST_REVISION
        new = TaskDefinition(
            domain=domain,
            revision=revision,
            image_tag=image_tag or f"1.{revision}.0",
            registered_at=at,
            environment=environment or (before.environment if before else _environment(domain)),
            secrets=secrets or (before.secrets if before else _secrets(domain)),
            cpu=cpu or (before.cpu if before else "512"),
            memory=memory or (before.memory if before else "1024"),
            command=command if command is not None else (before.command if before else ()),
            more_tags=tags or {},
            definition=definition if definition is not None else (before.definition if before else {}),
            container=container if container is not None else (before.container if before else {}),
        )
        self._by_arn[new.arn] = self._latest[domain.service] = new
        return new

    def latest(self, domain: SandboxDomain) -> TaskDefinition:
        return self._latest[domain.service]

    def deregister(self, name: str) -> None:
        """Makes it INACTIVE: running tasks go on, and no new ones start."""
        found = self.find(name)
        if found is None:
            raise ValueError(f"no such task definition: {name}")
        self._by_arn[found.arn] = replace(found, status="INACTIVE")

    def find(self, name: str) -> TaskDefinition | None:
        """By ARN, `family:revision`, or `family` for its latest that is ACTIVE."""
        return (
            self._by_arn.get(name)
            or self._by_arn.get(arn("ecs", f"task-definition/{name}"))
            or self._latest_active(name.rpartition("/")[2])
        )

    def _latest_active(self, family: str) -> TaskDefinition | None:
        active = [
            one for one in self._by_arn.values() if one.domain.service == family and one.status == "ACTIVE"
        ]
        return max(active, key=lambda one: one.revision, default=None)


def _environment(domain: SandboxDomain) -> dict[str, str]:
    return {
        "SPRING_PROFILES_ACTIVE": "prod",
        "SERVER_PORT": str(domain.listener_port),
        "LOG_LEVEL": "info",
        "KAFKA_BROKERS": "b-1.klp.internal:9092,b-2.klp.internal:9092",
    }


def _secrets(domain: SandboxDomain) -> dict[str, str]:
    return {
        "DB_URL": arn("ssm", f"parameter/klp-logistics/{domain.name}/db-url"),
        "DB_PASSWORD": arn("secretsmanager", f"secret:klp-logistics/{domain.name}/db-AbCdEf"),
    }
