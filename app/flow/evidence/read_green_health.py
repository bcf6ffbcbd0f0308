"""Reads green's tasks, targets and alarms alone: what may change after the decision, in as few calls as possible."""

import asyncio
from datetime import datetime

from app.flow.evidence.read_blue_green import ABSENT
from app.flow.evidence.timeboxed_reader import TimeboxedReader
from app.flow.ports.evidence import GroupFacts
from app.flow.read_models import Switch
from app.gate.evidence.blue_green import TaskSet
from app.gate.evidence.model import Alarm, GreenHealth, Missing, MissingReason, Targets


async def read_green_health(switch: Switch, *, reader: TimeboxedReader, now: datetime) -> GreenHealth | None:
    """Each part may fail without affecting the others. None: there is no green, or its tasks are being stopped."""
    group = await _group(switch, reader)
    green, alarms = await asyncio.gather(_green(switch, group, reader), _alarms(switch, group, reader))
    if green == ABSENT:
        return None
    return GreenHealth(
        collected_at=now,
        tasks=green if isinstance(green, Missing) else green.tasks,
        targets=await _targets(switch, green, reader),
        alarms=alarms,
    )


async def _group(switch: Switch, reader: TimeboxedReader) -> GroupFacts | Missing:
    application, group = switch.application, switch.deployment_group
    if application is None or group is None:
        return ABSENT
    asked = reader.source.settings(switch.key, application=application, deployment_group=group)
    return await reader.read(asked)


async def _green(switch: Switch, group: GroupFacts | Missing, reader: TimeboxedReader) -> TaskSet | Missing:
    """The task set that was created for this deployment."""
    if isinstance(group, Missing):
        return group
    if group.service is None:
        return ABSENT
    found = await reader.read(reader.source.task_sets(switch.key.region, group.service))
    if isinstance(found, Missing):
        return found
    live = (one for one in found if one.status != "DRAINING")
    return next((one for one in live if one.external_id == switch.key.deployment), ABSENT)


async def _targets(
    switch: Switch, green: TaskSet | Missing, reader: TimeboxedReader
) -> tuple[Targets, ...] | Missing:
    if isinstance(green, Missing):
        return green
    if not green.target_groups:
        return Missing(reason=MissingReason.NONE)
    return await reader.read(reader.source.health(switch.key.region, green.target_groups[0]))


async def _alarms(
    switch: Switch, group: GroupFacts | Missing, reader: TimeboxedReader
) -> tuple[Alarm, ...] | Missing:
    if isinstance(group, Missing):
        return group
    if not group.alarms:
        return Missing(reason=MissingReason.NONE)
    return await reader.read(reader.source.alarms(switch.key.region, group.alarms))
