"""The reads of evidence: boto3 clients of several services, their own threads, and errors sorted to reasons.

Their threads are not those of the answers to CodeDeploy: a read that hangs must never hold up an answer.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal, TypeVar

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.aws.codedeploy import hang_up
from app.aws.errors import CREDENTIALS, THROTTLES, code_of
from app.flow.ports.evidence import EvidenceUnavailable
from app.gate.evidence.model import Missing, MissingReason

log = structlog.get_logger(__name__)

T = TypeVar("T")
Service = Literal["codedeploy", "ecs", "elbv2", "cloudwatch"]

SERVICES: Final[tuple[Service, ...]] = ("codedeploy", "ecs", "elbv2", "cloudwatch")
THREADS: Final = 16
READS: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=2,
    read_timeout=4,
    max_pool_connections=THREADS,
    tcp_keepalive=True,
    parameter_validation=False,
)
"""Tried once a look: the loop looks again soon, and says meanwhile what it could not see."""

ABSENT: Final = frozenset(
    {
        "ClientException",
        "ClusterNotFoundException",
        "DeploymentDoesNotExistException",
        "DeploymentGroupDoesNotExistException",
        "DeploymentNotStartedException",
        "DeploymentTargetDoesNotExistException",
        "ListenerNotFound",
        "ListenerNotFoundException",
        "ServiceNotFoundException",
        "TargetGroupNotFound",
        "TargetGroupNotFoundException",
    }
)
_SILENT: Final = (
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "EndpointConnectionError",
    "ReadTimeoutError",
)


class Readers:
    """One boto3 client a service and region, made at first use. `making` guards the session's one workshop."""

    def __init__(self, session: boto3.session.Session, *, making: threading.Lock) -> None:
        self._session = session
        self._making = making
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="evidence")
        self._clients: dict[tuple[Service, str], Any] = {}

    def warm_up(self, region: str) -> None:
        """Makes a region's clients before anybody waits for them."""
        for service in SERVICES:
            self._client(service, region)

    def close(self, *, wait: bool = True) -> None:
        """Waits for calls under way, if asked to, then hangs up. Nobody may ask anything any more."""
        self._threads.shutdown(wait=wait, cancel_futures=True)
        hang_up(self._clients)

    async def read(self, service: Service, region: str, call: str, work: Callable[[Any], T]) -> T:
        """Runs `work` with the client; `call` is the permission that it needs. Raises `EvidenceUnavailable`."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: work(self._client(service, region)))
        except (ClientError, BotoCoreError) as trouble:
            raise EvidenceUnavailable(Missing(why=reason_of(trouble), call=call)) from None
        except (KeyError, ValueError, TypeError, AttributeError) as trouble:
            # The answer itself may hold what must not be logged: its error's class says enough.
            log.warning("answer_makes_no_sense", call=call, problem=type(trouble).__name__)
            raise EvidenceUnavailable(Missing(why=MissingReason.FAILED, call=call)) from None

    def _client(self, service: Service, region: str) -> Any:
        client = self._clients.get((service, region))
        if client is None:
            with self._making:
                client = self._session.client(service, region_name=region, config=READS)
                self._clients[(service, region)] = client
        return client


def reason_of(trouble: ClientError | BotoCoreError) -> MissingReason:
    """Why a read failed, in our words."""
    if isinstance(trouble, ClientError):
        code = code_of(trouble)
        if code in CREDENTIALS:
            return MissingReason.DENIED
        if code in THROTTLES:
            return MissingReason.THROTTLED
        return MissingReason.ABSENT if code in ABSENT else MissingReason.FAILED
    name = type(trouble).__name__
    if name in {"NoCredentialsError", "PartialCredentialsError"}:
        return MissingReason.DENIED
    return MissingReason.SILENT if name in _SILENT else MissingReason.FAILED
