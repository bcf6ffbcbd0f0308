"""Blue and green: which is which, what each runs, how many tasks and how healthy; and what differs."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from app.flow.evidence.timeboxed_reader import TimeboxedReader
from app.flow.ports.evidence import TargetFacts
from app.flow.read_models import Switch
from app.gate.evidence.blue_green import TargetSet, TaskSet, pair_of
from app.gate.evidence.commits import Commits, Origin, commits_between, origin_in_description, origin_of
from app.gate.evidence.model import Evidence, Missing, MissingReason, Targets, TaskSetEvidence
from app.gate.evidence.revision import Revision, RevisionReading
from app.gate.evidence.revision_diff import Change, diff

ABSENT: Final = Missing(reason=MissingReason.ABSENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlueGreen:
    """Both sides and their difference."""

    blue: TaskSetEvidence
    green: TaskSetEvidence
    changes: tuple[Change, ...] | Missing
    commits: Commits


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A side's set of tasks as ECS and as CodeDeploy have it. `silent`: why neither may be known."""

    ours: TaskSet | None
    theirs: TargetSet | None
    task_definition: str | None
    silent: Missing


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compared:
    blue: Revision | Missing
    green: Revision | Missing
    changes: tuple[Change, ...] | Missing
    commits: Commits


async def read_blue_green(
    switch: Switch,
    *,
    reader: TimeboxedReader,
    target: TargetFacts | Missing,
    task_sets: tuple[TaskSet, ...] | Missing,
    known: Evidence | None,
) -> BlueGreen:
    """Without ECS, CodeDeploy still counts the tasks, and its AppSpec names what green runs."""
    blue, green = await _found(switch, reader=reader, target=target, task_sets=task_sets)
    compared, blue_health, green_health = await asyncio.gather(
        _compared(switch, blue, green, reader=reader, known=known),
        _health(blue, region=switch.key.region, reader=reader),
        _health(green, region=switch.key.region, reader=reader),
    )
    return BlueGreen(
        blue=_side(blue, compared.blue, blue_health),
        green=_side(green, compared.green, green_health),
        changes=compared.changes,
        commits=compared.commits,
    )


async def _found(
    switch: Switch,
    *,
    reader: TimeboxedReader,
    target: TargetFacts | Missing,
    task_sets: tuple[TaskSet, ...] | Missing,
) -> tuple[_Found, _Found]:
    silent = task_sets if isinstance(task_sets, Missing) else ABSENT
    ours = {one.id: one for one in ([] if isinstance(task_sets, Missing) else task_sets)}
    theirs = {one.id: one for one in ([] if isinstance(target, Missing) else target.task_sets)}
    pair = pair_of(
        switch.key.deployment,
        task_sets=list(ours.values()),
        target_sets=list(theirs.values()),
        shifted=not isinstance(target, Missing) and target.shifted,
    )
    blue, green = ours.get(pair.blue or ""), ours.get(pair.green or "")
    named = (
        green.task_definition if green else await reader.read(reader.source.named_task_definition(switch.key))
    )
    return (
        _Found(
            ours=blue,
            theirs=theirs.get(pair.blue or ""),
            task_definition=blue.task_definition if blue else None,
            silent=silent,
        ),
        _Found(
            ours=green,
            theirs=theirs.get(pair.green or ""),
            task_definition=None if isinstance(named, Missing) else named,
            silent=silent,
        ),
    )


async def _compared(
    switch: Switch, blue: _Found, green: _Found, *, reader: TimeboxedReader, known: Evidence | None
) -> _Compared:
    """A task definition never changes but in its status, so the same two are not compared twice."""
    if known is not None and _is_settled(known, blue, green):
        return _Compared(
            blue=await _with_status(known.blue.revision, blue, region=switch.key.region, reader=reader),
            green=known.green.revision,
            changes=known.changes,
            commits=known.commits,
        )
    one, other = await asyncio.gather(
        _reading(blue, region=switch.key.region, reader=reader),
        _reading(green, region=switch.key.region, reader=reader),
    )
    return _Compared(
        blue=one if isinstance(one, Missing) else one.revision,
        green=other if isinstance(other, Missing) else other.revision,
        changes=_changes(one, other),
        commits=commits_between(
            _origin(one), _origin(other).or_else(origin_in_description(switch.description or ""))
        ),
    )


async def _with_status(
    known: Revision | Missing, found: _Found, *, region: str, reader: TimeboxedReader
) -> Revision | Missing:
    """Blue's is deregistered by many pipelines while the gate waits: then nothing can be deployed from it again."""
    now = await _reading(found, region=region, reader=reader)
    if isinstance(known, Missing) or isinstance(now, Missing):
        return known
    return replace(known, active=now.revision.active)


def _is_settled(known: Evidence, blue: _Found, green: _Found) -> bool:
    return (
        not isinstance(known.changes, Missing)
        and known.blue.task_definition == blue.task_definition
        and known.green.task_definition == green.task_definition
    )


async def _reading(found: _Found, *, region: str, reader: TimeboxedReader) -> RevisionReading | Missing:
    if found.task_definition is None:
        return found.silent
    return await reader.read(reader.source.reading(region, found.task_definition))


def _changes(
    blue: RevisionReading | Missing, green: RevisionReading | Missing
) -> tuple[Change, ...] | Missing:
    if isinstance(green, Missing):
        return green
    return blue if isinstance(blue, Missing) else diff(blue, green)


def _origin(reading: RevisionReading | Missing) -> Origin:
    if isinstance(reading, Missing):
        return Origin()
    revision = reading.revision
    return origin_of(dict(revision.tags), [container.image for container in revision.containers])


async def _health(found: _Found, *, region: str, reader: TimeboxedReader) -> tuple[Targets, ...] | Missing:
    arn: str | Missing = found.silent
    if found.ours is not None:
        arn = found.ours.target_groups[0] if found.ours.target_groups else Missing(reason=MissingReason.NONE)
    elif found.theirs is not None and found.theirs.target_group is not None:
        arn = await target_group_arn(found.theirs.target_group, region=region, reader=reader)
    if isinstance(arn, Missing):
        return arn
    return await reader.read(reader.source.health(region, arn))


async def target_group_arn(name: str, *, region: str, reader: TimeboxedReader) -> str | Missing:
    """CodeDeploy knows target groups by name only."""
    arns = await reader.read(reader.source.target_group_arns(region, [name]))
    return arns if isinstance(arns, Missing) else arns.get(name, ABSENT)


def _target_group_name(found: _Found) -> str | None:
    theirs = found.theirs.target_group if found.theirs else None
    return theirs or (found.ours.target_group if found.ours else None)


def _side(
    found: _Found, revision: Revision | Missing, health: tuple[Targets, ...] | Missing
) -> TaskSetEvidence:
    shown = found.ours or found.theirs
    return TaskSetEvidence(
        task_set=shown.id if shown else None,
        task_definition=found.task_definition,
        target_group=_target_group_name(found),
        weight=found.theirs.weight if found.theirs else None,
        revision=revision,
        tasks=shown.tasks if shown else found.silent,
        health=health,
        settings=found.ours.settings if found.ours else None,
    )
