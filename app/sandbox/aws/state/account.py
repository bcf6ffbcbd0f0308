"""The state of the stand-in's AWS account."""

import random
import re
import string
from collections.abc import Iterable
from typing import Final

from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.state.appspec import Revisions
from app.sandbox.aws.state.clock import Clock
from app.sandbox.aws.state.deployment import Deployment
from app.sandbox.aws.state.group import Alarm, Group
from app.sandbox.aws.state.hook_function import HookSetup
from app.sandbox.aws.state.lock import AccountLock
from app.sandbox.aws.state.roles import Roles
from app.sandbox.aws.state.task_definitions import TaskDefinitions
from app.sandbox.aws.state.topology import SandboxDomain

_DEPLOYMENT_ID: Final = re.compile(r"d-[A-Z0-9]{9}")


class Account:
    """Groups by domain, deployments by id, task definitions. Use it with the lock held."""

    def __init__(
        self, domains: Iterable[SandboxDomain], *, lock: AccountLock, clock: Clock, chance: random.Random
    ) -> None:
        self.lock = lock
        self.clock = clock
        self.chance = chance
        self.groups: dict[str, Group] = {}
        self.deployments: dict[str, Deployment] = {}
        self.task_definitions = TaskDefinitions()
        self.revisions = Revisions()
        self.roles = Roles()
        self.hook_setup = HookSetup()
        for domain in domains:
            self.add(domain)

    def add(self, domain: SandboxDomain) -> Group:
        """A domain that serves its first revision, with a second one registered and not yet deployed."""
        if domain.name in self.groups:
            raise ValueError(f"there is a domain {domain.name} already")
        now = self.clock.seconds()
        group = Group(domain, Alarm(domain.alarm, updated_at=now - 86_400))
        serving = self.task_definitions.register(domain, at=now - 90_000)
        self.task_definitions.register(domain, at=now - 60)
        first = group.add_task_set(task_definition=serving.arn, external_id=None, at=now - 86_400)
        first.running = first.desired
        self.groups[domain.name] = group
        return group

    def application(self, name: object) -> str:
        """Raises what CodeDeploy raises for a missing or unknown application."""
        if not name:
            raise AwsError("ApplicationNameRequiredException", "The application name is required.")
        if not any(group.domain.application == name for group in self.groups.values()):
            raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return str(name)

    def group(self, application: object, deployment_group: object) -> Group:
        """Raises what CodeDeploy raises for a missing or unknown application or deployment group."""
        name = self.application(application)
        if not deployment_group:
            raise AwsError("DeploymentGroupNameRequiredException", "The deployment group name is required.")
        for group in self.groups.values():
            if (group.domain.application, group.domain.deployment_group) == (name, deployment_group):
                return group
        raise AwsError(
            "DeploymentGroupDoesNotExistException",
            f"No Deployment Group found for name: {deployment_group}",
        )

    def deployment(self, deployment_id: object) -> Deployment:
        """Raises what CodeDeploy raises for a missing, malformed or unknown deployment id."""
        if not deployment_id:
            raise AwsError("DeploymentIdRequiredException", "The deployment ID is required.")
        if not isinstance(deployment_id, str) or not _DEPLOYMENT_ID.fullmatch(deployment_id):
            raise AwsError("InvalidDeploymentIdException", f"The deployment id {deployment_id} is invalid.")
        found = self.deployments.get(deployment_id)
        if found is None:
            raise AwsError(
                "DeploymentDoesNotExistException", f"The deployment {deployment_id} could not be found"
            )
        return found

    def group_of(self, deployment: Deployment) -> Group:
        return self.groups[deployment.domain]

    def new_deployment_id(self) -> str:
        while True:
            letters = self.chance.choices(string.ascii_uppercase + string.digits, k=9)
            deployment_id = "d-" + "".join(letters)
            if deployment_id not in self.deployments:
                return deployment_id
