"""Reads everything that helps to decide, in parallel. Each part may fail without affecting the others."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime

from app.flow.evidence.read_blue_green import ABSENT, BlueGreen, read_blue_green
from app.flow.evidence.timeboxed_reader import TimeboxedReader
from app.flow.ports.evidence import GroupFacts, TargetFacts
from app.flow.read_models import Switch
from app.gate.evidence.blue_green import TaskSet
from app.gate.evidence.model import Alarm, Evidence, Listener, Missing, MissingReason, Tasks

Group = GroupFacts | Missing
Target = TargetFacts | Missing
Sets = tuple[TaskSet, ...] | Missing


async def read_evidence(
    switch: Switch, *, reader: TimeboxedReader, known: Evidence | None, now: datetime
) -> Evidence:
    """All that can be seen now. `known`: what was seen before, so that what never changes is not read again."""
    async with asyncio.TaskGroup() as parts:
        group = parts.create_task(_group(switch, reader))
        target = parts.create_task(reader.read(reader.source.target(switch.key)))
        sets = parts.create_task(_task_sets(switch, reader, group, target))
        alarms = parts.create_task(_alarms(switch, reader, group))
        listeners = parts.create_task(_listeners(switch, reader, group))
        both = parts.create_task(_blue_green(switch, reader, target, sets, known))
    blue_green, facts, shown = both.result(), group.result(), target.result()
    return Evidence(
        collected_at=now,
        blue=blue_green.blue,
        green=blue_green.green,
        changes=blue_green.changes,
        commits=blue_green.commits,
        alarms=alarms.result(),
        listeners=listeners.result(),
        safety=facts if isinstance(facts, Missing) else facts.safety,
        steady_since=_steady_since(shown, blue_green),
        succeeded_events=() if isinstance(shown, Missing) else shown.succeeded_events,
    )


async def _group(switch: Switch, reader: TimeboxedReader) -> Group:
    application, group = switch.application, switch.deployment_group
    if application is None or group is None:
        return ABSENT
    asked = reader.source.group(switch.key, application=application, deployment_group=group)
    return await reader.read(asked)


async def _task_sets(
    switch: Switch, reader: TimeboxedReader, group: Awaitable[Group], target: Awaitable[Target]
) -> Sets:
    """The target names the service; where it does not, the group does."""
    facts: Target | Group = await target
    if isinstance(facts, Missing) or facts.service is None:
        facts = await group
    if isinstance(facts, Missing):
        return facts
    if facts.service is None:
        return ABSENT
    return await reader.read(reader.source.task_sets(switch.key.region, facts.service))


async def _alarms(
    switch: Switch, reader: TimeboxedReader, group: Awaitable[Group]
) -> tuple[Alarm, ...] | Missing:
    facts = await group
    if isinstance(facts, Missing):
        return facts
    if not facts.alarms:
        return Missing(reason=MissingReason.NONE)
    return await reader.read(reader.source.alarms(switch.key.region, facts.alarms))


async def _listeners(
    switch: Switch, reader: TimeboxedReader, group: Awaitable[Group]
) -> tuple[Listener, ...] | Missing:
    facts = await group
    if isinstance(facts, Missing):
        return facts
    if not facts.listeners:
        return Missing(reason=MissingReason.NONE)
    region, pair = switch.key.region, set(facts.target_groups)
    listeners = await reader.read(reader.source.listeners(region, facts.listeners))
    if isinstance(listeners, Missing):
        return listeners
    return tuple(await asyncio.gather(*(with_rules(one, pair, region, reader) for one in listeners)))


async def with_rules(listener: Listener, pair: set[str], region: str, reader: TimeboxedReader) -> Listener:
    """A listener whose default action knows neither of the pair may forward to them by its rules."""
    if pair.intersection(dict(listener.weights)) or not listener.arn:
        return listener
    rules = await reader.read(reader.source.listener_rules(region, listener.arn))
    return listener if isinstance(rules, Missing) else replace(listener, rules=rules)


async def _blue_green(
    switch: Switch,
    reader: TimeboxedReader,
    target: Awaitable[Target],
    sets: Awaitable[Sets],
    known: Evidence | None,
) -> BlueGreen:
    return await read_blue_green(
        switch, reader=reader, target=await target, task_sets=await sets, known=known
    )


def _steady_since(target: Target, blue_green: BlueGreen) -> datetime | Missing:
    if isinstance(target, Missing):
        return target
    tasks = blue_green.green.tasks
    moving = isinstance(tasks, Tasks) and tasks.steady is False
    return ABSENT if moving or target.steady_since is None else target.steady_since
