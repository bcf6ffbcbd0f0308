"""New deployments: what a user asks for, and the rollback that CodeDeploy makes by itself."""

from dataclasses import replace
from typing import Any

from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.appspec import Revision, appspec_of, inline_revision
from app.sandbox.aws.state.deployment import Deployment, lifecycle
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.traffic import ALL_AT_ONCE, CONFIGS, TrafficConfig


def rolls_back(deployment: Deployment, event: str) -> bool:
    """Whether CodeDeploy makes a rollback deployment by itself on this auto-rollback event."""
    return event in deployment.settings.auto_rollback and can_roll_back(deployment)


def can_roll_back(deployment: Deployment) -> bool:
    """Before Install there is nothing to take back, and a rollback is not rolled back."""
    return deployment.green is not None and deployment.rollback_of is None


def new_deployment(
    account: Account,
    group: Group,
    *,
    revision: Revision,
    config: TrafficConfig,
    description: str,
    creator: str,
    auto_rollback: dict[str, Any] | None = None,
    alarms: dict[str, Any] | None = None,
) -> Deployment:
    """A deployment of `revision`, not begun yet. `auto_rollback`, `alarms`: what it overrides of its group."""
    domain = group.domain
    settings = domain
    if auto_rollback is not None:
        events = tuple(auto_rollback.get("events") or ()) if auto_rollback.get("enabled") else ()
        settings = replace(domain, auto_rollback=events)
    hooks = revision.hooks if revision.hooks is not None else frozenset(domain.hooks)
    return Deployment(
        id=account.new_deployment_id(),
        domain=domain.name,
        config=config,
        creator=creator,
        description=description,
        revision=account.revisions.register(domain.application, revision),
        previous_revision=serving_revision(account, group),
        task_definition=revision.task_definition or account.task_definitions.latest(domain).arn,
        hooks=hooks,
        events=lifecycle(test_listener=domain.test_listener),
        created_at=account.clock.seconds(),
        settings=settings,
        termination_wait=domain.termination_wait_minutes * 60.0,
        alarms=alarms,
    )


def new_rollback(account: Account, group: Group, failed: Deployment) -> Deployment:
    """CodeDeploy's own: all at once, back to the task set that served before, which still runs.

    Its blue is what failed and its green what served before.
    """
    revision = failed.previous_revision or _first_revision(account, group)
    rollback = Deployment(
        id=account.new_deployment_id(),
        domain=failed.domain,
        config=CONFIGS[ALL_AT_ONCE],
        creator="codeDeployRollback",
        description="",
        revision=revision,
        previous_revision=failed.revision,
        task_definition=failed.blue.task_definition if failed.blue else "",
        hooks=failed.hooks if group.domain.rollback_runs_hooks else frozenset(),
        events=lifecycle(test_listener=group.domain.test_listener),
        created_at=account.clock.seconds(),
        settings=failed.settings,
        termination_wait=0.0,
        rollback_of=failed.id,
        blue=failed.green,
        green=failed.blue,
    )
    failed.rollback_id = rollback.id
    return rollback


def serving_revision(account: Account, group: Group) -> Revision | None:
    """What serves now, as the AppSpec that deployed it; None where CodeDeploy has deployed nothing yet."""
    deployed = account.deployments.get(group.primary.external_id or "")
    if deployed is not None:
        return deployed.revision
    return _first_revision(account, group) if group.domain.deployed_before else None


def _first_revision(account: Account, group: Group) -> Revision:
    """The revision that would have deployed what the service was created with."""
    if group.first_revision is not None:
        return group.first_revision
    found = account.task_definitions.find(group.primary.task_definition)
    content = appspec_of(found or account.task_definitions.latest(group.domain))
    return account.revisions.register(group.domain.application, inline_revision(content))
