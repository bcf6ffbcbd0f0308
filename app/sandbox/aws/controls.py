"""Controls and inspects the stand-in AWS from a page or a test, without the wire."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.sandbox.aws.calls import Call, Calls
from app.sandbox.aws.deployments.hook_calls import HookCall, HookCalls
from app.sandbox.aws.deployments.machine import Machine
from app.sandbox.aws.services.codedeploy import CodeDeploy, reject_if_busy
from app.sandbox.aws.snapshots import DeploymentSnapshot, snapshot
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.appspec import appspec_of
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.task_definitions import TaskDefinition
from app.sandbox.aws.state.task_set import Health
from app.sandbox.aws.state.topology import SandboxDomain


class Controls:
    """Every method may be called from any thread; those that take a domain take its name."""

    def __init__(
        self,
        account: Account,
        *,
        codedeploy: CodeDeploy,
        machine: Machine,
        hooks: HookCalls,
        calls: Calls,
    ) -> None:
        self._account = account
        self._codedeploy = codedeploy
        self._machine = machine
        self._hooks = hooks
        self._calls = calls
        self._lock = account.lock
        self.clock = account.clock

    def on_change(self, listener: Callable[[str], object]) -> None:
        """`listener` gets a domain's name after each change to it, in the thread that made it: be quick."""
        self._lock.listen(listener)

    def add_domain(self, domain: SandboxDomain) -> None:
        with self._lock.hold():
            self._account.add(domain)
            self._lock.notify_changed(domain.name)

    def replace_domain(self, domain: SandboxDomain) -> None:
        """Replaces the description of the domain with this name."""
        with self._lock.hold():
            self._group(domain.name).domain = domain
            self._lock.notify_changed(domain.name)

    def hide_deployment(self, deployment_id: str, *, reads: int) -> None:
        """Its next reads do not find it, as CodeDeploy's reads may for one that is young."""
        with self._lock.hold():
            self._account.deployment(deployment_id).unfound_reads = reads

    def domains(self) -> list[SandboxDomain]:
        with self._lock.hold():
            return [group.domain for group in self._account.groups.values()]

    def register_revision(
        self,
        domain: str,
        image_tag: str = "",
        *,
        environment: dict[str, str] | None = None,
        secrets: dict[str, str] | None = None,
        cpu: str = "",
        memory: str = "",
        command: tuple[str, ...] | None = None,
        tags: dict[str, str] | None = None,
        definition: dict[str, Any] | None = None,
        container: dict[str, Any] | None = None,
    ) -> str:
        """A new task definition revision; what is not given stays as it was, but for `tags`. Gives its ARN.

        `definition` and `container` are fields in ECS's own shape.
        """
        with self._lock.hold():
            return self._account.task_definitions.register(
                self._group(domain).domain,
                at=self.clock.seconds(),
                image_tag=image_tag,
                environment=environment,
                secrets=secrets,
                cpu=cpu,
                memory=memory,
                command=command,
                tags=tags,
                definition=definition,
                container=container,
            ).arn

    def deploy(
        self,
        domain: str,
        *,
        description: str = "",
        config: str = "",
        creator: str = "user",
        image_tag: str = "",
        revision: Mapping[str, Any] | None = None,
        **overrides: Any,
    ) -> str:
        """What a pipeline does: CreateDeployment of a new revision. Returns its id at once.

        Without `image_tag` it deploys the latest revision registered, or a new one if that is serving
        already. `revision`: a RevisionLocation to be deployed instead; `overrides`: more of
        CreateDeployment's own members. Raises `AwsError` as CreateDeployment does, DeploymentLimitExceededException
        above all.
        """
        with self._lock.hold():
            group = self._group(domain)
            reject_if_busy(group)
            params = {
                "applicationName": group.domain.application,
                "deploymentGroupName": group.domain.deployment_group,
                "revision": revision or _inline(appspec_of(self._next_revision(group, image_tag))),
                "description": description,
                "deploymentConfigName": config,
                **overrides,
            }
            return self._codedeploy.create(params, creator=creator).id

    def appspec(self, task_definition: str, *, named: str = "") -> str:
        """The AppSpec that deploys a registered revision; `named`: how it names it, if not by ARN."""
        with self._lock.hold():
            found = self._account.task_definitions.find(task_definition)
            if found is None:
                raise ValueError(f"no such task definition: {task_definition}")
            return appspec_of(found, named=named)

    def store_appspec(self, where: str, name: str, content: str) -> None:
        """An AppSpec in a bucket (name: its key), or in a repository (name: a commit)."""
        with self._lock.hold():
            self._account.revisions.store(where, name, content)

    def deployed_before(self, domain: str, revision: Mapping[str, Any]) -> None:
        """The RevisionLocation by which CodeDeploy has deployed what the domain runs at first."""
        with self._lock.hold():
            group = self._group(domain)
            read = self._account.revisions.read(group.domain.application, revision)
            group.first_revision = self._account.revisions.register(group.domain.application, read)

    def deregister(self, task_definition: str) -> None:
        """DeregisterTaskDefinition, as Terraform and others do at every deploy: it is INACTIVE from now on."""
        with self._lock.hold():
            self._account.task_definitions.deregister(task_definition)

    def change_group(self, domain: str, **settings: Any) -> None:
        """UpdateDeploymentGroup: holds for deployments that are created from now on."""
        with self._lock.hold():
            group = self._group(domain)
            group.domain = replace(group.domain, **settings)
            self._lock.notify_changed(domain)

    def stop_deployment(self, deployment_id: str, *, rollback: bool | None = True) -> None:
        """Stops the deployment, as the console's button does. Raises `AwsError` when it is over."""
        with self._lock.hold():
            self._codedeploy.stop_deployment({"deploymentId": deployment_id, "autoRollbackEnabled": rollback})

    def redeliver_hook(self, deployment_id: str) -> None:
        """The hook that it waits for comes once more, or after all. Raises `ValueError` when it waits for none."""
        with self._lock.hold():
            self._hooks.call_again(self._account.deployment(deployment_id))

    def set_alarm(self, domain: str, state: str, *, reason: str = "") -> None:
        """OK, ALARM or INSUFFICIENT_DATA. ALARM stops the domain's live deployment and rolls it back."""
        reason = reason or _REASONS[state]
        with self._lock.hold():
            group = self._group(domain)
            group.alarm.state = state
            group.alarm.reason = reason
            group.alarm.updated_at = self.clock.seconds()
            self._lock.notify_changed(domain)
            if state == "ALARM":
                self._machine.alarm(group)

    def alarm_state(self, domain: str) -> str:
        with self._lock.hold():
            return self._group(domain).alarm.state

    def set_health(
        self, domain: str, side: str, state: str, *, reason: str = "", description: str = ""
    ) -> None:
        """ELB's state (healthy, unhealthy, …) of all targets behind the domain's `blue` or `green`.

        Raises `ValueError` when no tasks run on that side.
        """
        with self._lock.hold():
            group = self._group(domain)
            current = group.current
            green = current.green if current else None
            blue = next((one for one in group.task_sets if one is not green), None)
            task_set = green if side == "green" else blue
            if task_set is None:
                raise ValueError(f"{domain} has no tasks on {side}")
            task_set.health = Health(state, reason, description)
            self._lock.notify_changed(domain)

    def green_health(self, domain: str) -> str | None:
        """ELB's state of the targets behind green; None while no tasks run there."""
        with self._lock.hold():
            group = self._group(domain)
            green = group.current.green if group.current else None
            return None if green is None or green not in group.task_sets else green.health.state

    def write_listener(self, domain: str, weights: dict[str, int], *, rules: tuple[str, ...] = ()) -> None:
        """Somebody changes the production listener by hand: percent by target group's name; empty: as it was.

        `rules`: names of target groups that rules beside the default action forward to.
        """
        with self._lock.hold():
            group = self._group(domain)
            group.by_hand, group.rules_by_hand = dict(weights), rules
            self._lock.notify_changed(domain)

    def next_task_set(self, domain: str, **fields: Any) -> None:
        """What the AppSpec of later deployments says of their task sets, as fields of ECS's TaskSet."""
        with self._lock.hold():
            self._group(domain).task_set_fields = fields

    def share(self, domain: str) -> dict[str, int]:
        """Percent of production traffic on `blue` and `green`; together always 100.

        The sides are those of the domain's latest deployment that is not a rollback. After a switch green
        has 100 and keeps it, though the deployment is over; when the next deployment begins, what was green
        is its blue. Rolled back, failed before traffic moved, or never deployed: blue has 100. These are the
        listener's weights, which the AWS reads show too.
        """
        with self._lock.hold():
            green = self._group(domain).green_share()
            return {"blue": 100 - green, "green": green}

    def make_older(self, deployment: str, *, seconds: float) -> None:
        """Moves the time when it was made back."""
        with self._lock.hold():
            self._account.deployments[deployment].created_at -= seconds

    def deployments(self, domain: str | None = None) -> list[DeploymentSnapshot]:
        """Oldest first, rollbacks among them."""
        with self._lock.hold():
            return [
                snapshot(self._account, one)
                for one in self._account.deployments.values()
                if domain is None or one.domain == domain
            ]

    def deployment(self, deployment_id: str) -> DeploymentSnapshot:
        """Raises `AwsError` when there is none."""
        with self._lock.hold():
            return snapshot(self._account, self._account.deployment(deployment_id))

    def answers(self, deployment_id: str) -> list[str]:
        """The answers to its hooks that CodeDeploy took, in order: Succeeded or Failed."""
        with self._lock.hold():
            return list(self._account.deployment(deployment_id).answers)

    def calls(self, op: str | None = None) -> list[Call]:
        """The requests received, oldest first; all, or those of one operation."""
        with self._lock.hold():
            return self._calls.all(op)

    def hook_calls(self, deployment_id: str | None = None) -> list[HookCall]:
        """Every delivery of a hook to `invoke_hook`, oldest first, and how it went."""
        with self._lock.hold():
            return [call for call in self._hooks.made if deployment_id in (None, call.deployment_id)]

    def wait_until(self, predicate: Callable[[], bool], timeout: float = 10.0) -> None:
        """Raises `TimeoutError` when the predicate has not come true within so many real seconds."""
        if not self._lock.wait_until(predicate, timeout):
            raise TimeoutError(f"it did not come true within {timeout} s")

    def advance_until(self, predicate: Callable[[], bool], *, at_most: float = 4 * 3600.0) -> None:
        """Moves time by hand from one thing due to the next until the predicate is true.

        Raises `TimeoutError` after `at_most` stand-in seconds. It does not wait for hooks that are running.
        """
        left = at_most
        while not predicate():
            moved = self.clock.advance_to_next(at_most=left)
            if moved is None:
                raise TimeoutError(f"it did not come true within {at_most} stand-in seconds")
            left -= moved

    def _group(self, domain: str) -> Group:
        return self._account.groups[domain]

    def _next_revision(self, group: Group, image_tag: str) -> TaskDefinition:
        latest = self._account.task_definitions.latest(group.domain)
        if image_tag or latest.arn == group.primary.task_definition:
            return self._account.task_definitions.register(
                group.domain, at=self.clock.seconds(), image_tag=image_tag
            )
        return latest


def _inline(content: str) -> dict[str, Any]:
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}


_REASONS = {
    "OK": "Threshold Crossed: 1 datapoint [0.0] was not greater than the threshold (5.0).",
    "ALARM": "Threshold Crossed: 1 datapoint [12.0] was greater than the threshold (5.0).",
    "INSUFFICIENT_DATA": "Insufficient Data: 1 datapoint was unknown.",
}
