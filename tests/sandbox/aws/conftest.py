"""A stand-in with a stopped clock that the test advances."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from app.sandbox.aws.stand_in import AwsStandIn
from tests.sandbox.aws.helpers import Boto, Lambda, boto

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def hook() -> Lambda:
    return Lambda()


@pytest.fixture
def aws(hook: Lambda) -> Iterator[AwsStandIn]:
    with AwsStandIn(invoke_hook=hook, speed=0, start=NOON, seed=7) as stand_in:
        yield stand_in


@pytest.fixture
def clients(aws: AwsStandIn) -> Iterator[Boto]:
    with boto(aws) as made:
        yield made


@pytest.fixture
def codedeploy(clients: Boto) -> "CodeDeployClient":
    return clients.codedeploy()
