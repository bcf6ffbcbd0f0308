"""New deployments: what a user asks for, and the rollback that CodeDeploy makes by itself."""

from app.sandbox.aws.account import Account
from app.sandbox.aws.appspec import Revision, revision_of
from app.sandbox.aws.deployment import Deployment, lifecycle
from app.sandbox.aws.group import Group
from app.sandbox.aws.traffic import ALL_AT_ONCE, CONFIGS, TrafficConfig


def rolls_back(group: Group, deployment: Deployment, event: str) -> bool:
    """Whether CodeDeploy makes a rollback deployment by itself on this auto-rollback event."""
    return event in group.domain.auto_rollback and can_roll_back(deployment)


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
) -> Deployment:
    """A deployment of `revision`, not begun yet."""
    domain = group.domain
    hooks = revision.hooks if revision.hooks is not None else frozenset(domain.hooks)
    return Deployment(
        id=account.new_deployment_id(),
        domain=domain.name,
        config=config,
        creator=creator,
        description=description,
        revision=revision,
        previous_revision=serving_revision(account, group),
        task_definition=revision.task_definition or account.task_definitions.latest(domain).arn,
        hooks=hooks,
        events=lifecycle(test_listener=domain.test_listener),
        created_at=account.clock.seconds(),
        termination_wait=domain.termination_wait_minutes * 60.0,
    )


def new_rollback(account: Account, group: Group, failed: Deployment) -> Deployment:
    """CodeDeploy's own: all at once, back to the task set that served before, which still runs.

    Its blue is what failed and its green what served before.
    """
    revision = failed.previous_revision or serving_revision(account, group)
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
        termination_wait=0.0,
        rollback_of=failed.id,
        blue=failed.green,
        green=failed.blue,
    )
    failed.rollback_id = rollback.id
    return rollback


def serving_revision(account: Account, group: Group) -> Revision:
    """What serves now, as the AppSpec that deployed it (or would have)."""
    primary = group.primary
    deployed = account.deployments.get(primary.external_id or "")
    if deployed is not None:
        return deployed.revision
    task_definition = account.task_definitions.find(primary.task_definition)
    return revision_of(task_definition or account.task_definitions.latest(group.domain))
