"""Switches that are looked at together share calls to ECS and CloudWatch; what fails for one hides no other."""

import asyncio
import threading
from collections.abc import AsyncIterator

import boto3
import pytest

from app.aws.evidence import AwsEvidence
from app.flow.ports.evidence import EvidenceUnavailable, ServiceName
from app.gate.evidence.model import Alarm, MissingReason
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, REGION

CLUSTER = "klp-logistics"
SERVICES = [ServiceName(cluster=CLUSTER, name=domain.service) for domain in EIGHT_DOMAINS]
GHOST = ServiceName(cluster=CLUSTER, name="ghost")


@pytest.fixture
async def aws(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AwsStandIn]:
    with AwsStandIn(invoke_hook=lambda event: None, speed=0, seed=3) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        yield stand_in


@pytest.fixture
async def evidence(aws: AwsStandIn) -> AsyncIterator[AwsEvidence]:
    source = AwsEvidence(boto3.session.Session(), client_lock=threading.Lock())
    yield source
    source.close()


async def test_services_of_one_cluster_share_a_call(aws: AwsStandIn, evidence: AwsEvidence) -> None:
    found = await asyncio.gather(*(evidence.task_sets(REGION, one) for one in SERVICES))
    assert [len(sets) for sets in found] == [1] * len(SERVICES)
    assert len({sets[0].task_definition for sets in found}) == len(SERVICES), "each its own"
    assert len(aws.calls("DescribeServices")) == 1


async def test_alarms_of_one_region_share_a_call(aws: AwsStandIn, evidence: AwsEvidence) -> None:
    groups = [[domain.alarm, "deleted"] for domain in EIGHT_DOMAINS]
    found = await asyncio.gather(*(evidence.alarms(REGION, names) for names in groups))
    for domain, alarms in zip(EIGHT_DOMAINS, found, strict=True):
        assert [alarm.name for alarm in alarms] == [domain.alarm, "deleted"]
        assert alarms[1] == Alarm(name="deleted", state="ABSENT")
    assert len(aws.calls("DescribeAlarms")) == 1


async def test_a_service_that_ecs_does_not_know_hides_no_other(evidence: AwsEvidence) -> None:
    known, ghost = await asyncio.gather(
        evidence.task_sets(REGION, SERVICES[0]), evidence.task_sets(REGION, GHOST), return_exceptions=True
    )
    assert isinstance(known, tuple)
    assert isinstance(ghost, EvidenceUnavailable)
    assert ghost.missing.reason is MissingReason.ABSENT


async def test_where_a_call_for_several_is_denied_each_is_asked_for_alone(
    aws: AwsStandIn, evidence: AwsEvidence
) -> None:
    aws.faults.add("DescribeServices", "access_denied", times=1)
    found = await asyncio.gather(*(evidence.task_sets(REGION, one) for one in SERVICES[:3]))
    assert [len(sets) for sets in found] == [1, 1, 1]
    assert len(aws.calls("DescribeServices")) == 4


async def test_throttling_brings_no_further_calls(aws: AwsStandIn, evidence: AwsEvidence) -> None:
    aws.faults.add("DescribeServices", "throttle", times=1)
    reads = (evidence.task_sets(REGION, one) for one in SERVICES[:3])
    found = await asyncio.gather(*reads, return_exceptions=True)
    reasons = [one.missing.reason for one in found if isinstance(one, EvidenceUnavailable)]
    assert reasons == [MissingReason.THROTTLED] * 3
    assert len(aws.calls("DescribeServices")) == 1
