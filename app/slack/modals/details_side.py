"""Blue or green, line by line."""

from collections.abc import Iterator

from app.gate.evidence.model import Missing, Targets, TaskSetEvidence
from app.gate.evidence.revision import Revision
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.text.escape import inline
from app.slack.text.evidence import NOTHING, code, image_code, memory_text, missing_text, role_name
from app.slack.text.health import reason_text, tasks_text


def blue_green_lines(side: TaskSetEvidence, texts: Texts) -> list[str]:
    """What it runs, how many, how healthy, and how much of the traffic."""
    return [*_revision(side, texts), *_tasks(side, texts), *_health(side, texts), *_place(side, texts)]


def _revision(side: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    revision = side.revision
    if isinstance(revision, Missing):
        name = code(side.task_definition.rpartition("/")[2]) if side.task_definition else NOTHING
        yield f"{name}: {missing_text(revision, texts)}"
        return
    yield code(revision.name)
    yield from _images(revision)
    cpu = code(revision.cpu) if revision.cpu else NOTHING
    yield texts("details.size", cpu=cpu, memory=memory_text(revision.memory))
    yield texts("details.role", role=role_name(revision.task_role))
    if revision.registered_at is not None:
        who = inline(revision.registered_by, longest=80)
        yield texts("details.registered", at=when(revision.registered_at), who=who)


def _images(revision: Revision) -> Iterator[str]:
    for container in revision.containers:
        yield image_code(container.image.short_reference)


def _tasks(side: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    if isinstance(side.tasks, Missing):
        yield f"{texts('evidence.part.tasks')}: {missing_text(side.tasks, texts)}"
    else:
        yield tasks_text(side.tasks, texts)


def _health(side: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    if isinstance(side.health, Missing):
        yield f"{texts('evidence.part.health')}: {missing_text(side.health, texts)}"
    elif not side.health:
        yield texts("details.no_targets")
    else:
        yield from (_targets(targets, texts) for targets in side.health)


def _targets(targets: Targets, texts: Texts) -> str:
    state = inline(targets.state, longest=40)
    if not targets.reason:
        return texts("details.targets", count=targets.count, state=state)
    return texts("details.target_reason", count=targets.count, state=state, reason=reason_text(targets))


def _place(side: TaskSetEvidence, texts: Texts) -> Iterator[str]:
    if side.target_group:
        yield texts("details.target_group", name=code(side.target_group))
    if side.weight is not None:
        yield texts("details.weight", percent=side.weight)
