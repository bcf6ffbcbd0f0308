"""Reads of ECS and CloudWatch that answer for several switches in one call.

Switches that are looked at together share the calls. Where a call for several fails, each is asked for alone: a cluster
that is gone or a permission that is missing for one must not hide the others.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from app.aws.evidence_client import EvidenceClient, Service
from app.aws.evidence_responses import alarms_of, task_sets_of
from app.concurrency.batch_loader import BatchLoader
from app.flow.ports.evidence import EvidenceUnavailable, ServiceName
from app.gate.evidence.blue_green import TaskSet
from app.gate.evidence.model import Alarm, Missing, MissingReason

T = TypeVar("T")

MAX_SERVICES: Final = 10
"""Of DescribeServices."""

MAX_ALARMS: Final = 100
"""Of DescribeAlarms."""

MAX_CONCURRENT: Final = 4
SHARED: Final = frozenset({MissingReason.THROTTLED, MissingReason.SILENT})
"""Reasons that hold for each of several as for all: another call would only add to the load."""

BOTH_TYPES: Final = ["MetricAlarm", "CompositeAlarm"]
"""Asked for neither, CloudWatch gives metric alarms alone."""

Ask = Callable[[Any, Sequence[str]], Mapping[str, T]]


class EvidenceBatches:
    """One loader a cluster for services, one a region for alarms."""

    def __init__(self, readers: EvidenceClient) -> None:
        self._readers = readers
        self._services: dict[tuple[str, str], BatchLoader[str, tuple[TaskSet, ...]]] = {}
        self._alarms: dict[str, BatchLoader[str, Alarm]] = {}

    async def task_sets(self, region: str, service: ServiceName) -> tuple[TaskSet, ...]:
        """DescribeServices"""
        loader = self._services.get((region, service.cluster))
        if loader is None:
            read = partial(_ask_for_services, service.cluster)
            fetch = partial(self._fetch, "ecs", region, "ecs:DescribeServices", read)
            loader = BatchLoader(fetch, max_batch=MAX_SERVICES, max_concurrent=MAX_CONCURRENT)
            self._services[(region, service.cluster)] = loader
        return await loader.get(service.name)

    async def alarms(self, region: str, names: Sequence[str]) -> tuple[Alarm, ...]:
        """DescribeAlarms"""
        loader = self._alarms.get(region)
        if loader is None:
            fetch = partial(self._fetch, "cloudwatch", region, "cloudwatch:DescribeAlarms", _ask_for_alarms)
            loader = BatchLoader(fetch, max_batch=MAX_ALARMS, max_concurrent=MAX_CONCURRENT)
            self._alarms[region] = loader
        return tuple(await asyncio.gather(*map(loader.get, names)))

    async def _fetch(
        self, service: Service, region: str, call: str, ask: Ask[T], names: Sequence[str]
    ) -> Sequence[T | Exception]:
        try:
            found = await self._readers.read(service, region, call, lambda client: ask(client, names))
        except EvidenceUnavailable as exc:
            if len(names) == 1 or exc.missing.reason in SHARED:
                return [exc] * len(names)
            each = [self._fetch(service, region, call, ask, [name]) for name in names]
            return [one for (one,) in await asyncio.gather(*each)]
        absent = EvidenceUnavailable(Missing(reason=MissingReason.ABSENT, call=call))
        return [found.get(name, absent) for name in names]


def _ask_for_services(cluster: str, client: Any, names: Sequence[str]) -> Mapping[str, tuple[TaskSet, ...]]:
    answer = client.describe_services(cluster=cluster, services=list(names))
    return {str(one["serviceName"]): task_sets_of(one) for one in answer.get("services") or []}


def _ask_for_alarms(client: Any, names: Sequence[str]) -> Mapping[str, Alarm]:
    answer = client.describe_alarms(AlarmNames=list(names), AlarmTypes=BOTH_TYPES, MaxRecords=len(names))
    return dict(zip(names, alarms_of(answer, names), strict=True))
