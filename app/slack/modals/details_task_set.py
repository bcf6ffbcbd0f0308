"""The section of one task set, blue or green, in the details modal."""

from collections.abc import Iterator

from app.gate.evidence.model import Missing, Targets, TaskSetEvidence
from app.gate.evidence.revision import Revision
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.text.escape import inline
from app.slack.text.evidence import NOTHING, code, image_code, memory_text, missing_text, role_name
from app.slack.text.health import reason_text, tasks_text


def task_set_lines(task_set: TaskSetEvidence, texts: Texts) -> list[str]:
    """What it runs, how many, how healthy, and how much of the traffic."""
    return [
        *_revision(task_set, texts),
        *_tasks(task_set, texts),
        *_health(task_set, texts),
        *_place(task_set, texts),
    ]


def _revision(task_set: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    revision = task_set.revision
    if isinstance(revision, Missing):
        name = code(task_set.task_definition.rpartition("/")[2]) if task_set.task_definition else NOTHING
        yield f"{name}: {missing_text(revision, texts)}"
        return
    yield code(revision.name)
    yield from _images(revision)
    cpu = code(revision.cpu) if revision.cpu else NOTHING
    yield texts("details.size", cpu=cpu, memory=memory_text(revision.memory))
    yield texts("details.role", role=role_name(revision.task_role))
    if revision.registered_at is not None:
        who = inline(revision.registered_by, max_chars=80)
        yield texts("details.registered", at=when(revision.registered_at), who=who)


def _images(revision: Revision) -> Iterator[str]:
    for container in revision.containers:
        yield image_code(container.image.short_reference)


def _tasks(task_set: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    if isinstance(task_set.tasks, Missing):
        yield f"{texts('evidence.part.tasks')}: {missing_text(task_set.tasks, texts)}"
    else:
        yield tasks_text(task_set.tasks, texts)


def _health(task_set: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    if isinstance(task_set.health, Missing):
        yield f"{texts('evidence.part.health')}: {missing_text(task_set.health, texts)}"
    elif not task_set.health:
        yield texts("details.no_targets")
    else:
        yield from (_targets(targets, texts) for targets in task_set.health)


def _targets(targets: Targets, texts: Texts) -> str:
    state = inline(targets.state, max_chars=40)
    if not targets.reason:
        return texts("details.targets", count=targets.count, state=state)
    return texts("details.target_reason", count=targets.count, state=state, reason=reason_text(targets))


def _place(task_set: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    if task_set.target_group:
        yield texts("details.target_group", name=code(task_set.target_group))
    if task_set.weight is not None:
        yield texts("details.weight", percent=task_set.weight)
