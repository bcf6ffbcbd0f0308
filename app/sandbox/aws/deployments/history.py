"""Past deployments, so that the account has a history."""

from typing import Final

from app.sandbox.aws.deployments.deployment_factory import new_deployment
from app.sandbox.aws.deployments.shapes import task_set_info
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.appspec import appspec_of, inline_revision
from app.sandbox.aws.state.group import Group
from app.sandbox.aws.state.task_set import TaskSet
from app.sandbox.aws.state.traffic import CONFIGS

DAY: Final = 86_400.0


def add_history(account: Account) -> None:
    """Every domain's serving revision was deployed a day ago, by a deployment that succeeded."""
    for group in account.groups.values():
        _add(account, group)


def _add(account: Account, group: Group) -> None:
    serving = group.primary
    task_definition = account.task_definitions.find(serving.task_definition)
    if task_definition is None:
        raise LookupError(f"{group.domain.name} serves an unknown revision")
    past = new_deployment(
        account,
        group,
        revision=inline_revision(appspec_of(task_definition)),
        config=CONFIGS[group.domain.config],
        description=f"git {task_definition.git_sha[:7]} by @octocat",
        creator="user",
    )
    past.created_at = past.started_at = at = account.clock.seconds() - DAY
    for event in past.events:
        event.begin(at)
        at += 30.0
        event.end("Succeeded", at)
    past.status = "Succeeded"
    past.completed_at = at + past.termination_wait
    serving.external_id = past.id
    past.green = serving
    past.blue = TaskSet(
        id=f"ecs-svc/{next(group.numbers)}",
        target_group=1 - serving.target_group,
        task_definition=serving.task_definition,
        external_id=None,
        desired=serving.desired,
        created_at=at - DAY,
        status="DRAINING",
    )
    past.last_task_sets = task_set_info(group, past)
    account.deployments[past.id] = past
    group.deployments.append(past)
