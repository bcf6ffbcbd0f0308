"""boto3 clients for reading evidence, with threads of their own; maps their errors to reasons.

The threads are not those that answer hooks, so that a read that hangs does not delay an answer.
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

from app.aws.codedeploy import close_clients
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
"""No retry by boto3: the evidence worker reads again soon, and meanwhile shows what is missing."""

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


class EvidenceClient:
    """One boto3 client per service and region, created at first use, one at a time under `client_lock`."""

    def __init__(self, session: boto3.session.Session, *, client_lock: threading.Lock) -> None:
        self._session = session
        self._client_lock = client_lock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="evidence")
        self._clients: dict[tuple[Service, str], Any] = {}

    def warm_up(self, region: str) -> None:
        """Creates a region's clients before the first request needs them."""
        for service in SERVICES:
            self._client(service, region)

    def close(self, *, wait: bool = True) -> None:
        """Waits for running calls if `wait`, then closes the clients. No call may be made afterwards."""
        self._threads.shutdown(wait=wait, cancel_futures=True)
        close_clients(self._clients)

    async def read(self, service: Service, region: str, call: str, work: Callable[[Any], T]) -> T:
        """Runs `work` with the client; `call` is the permission that it needs. Raises `EvidenceUnavailable`."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: work(self._client(service, region)))
        except (ClientError, BotoCoreError) as exc:
            raise EvidenceUnavailable(Missing(reason=reason_of(exc), call=call)) from None
        except (KeyError, ValueError, TypeError, AttributeError) as exc:
            # The answer itself may hold what must not be logged: its error's class says enough.
            log.warning("aws_response_invalid", call=call, problem=type(exc).__name__)
            raise EvidenceUnavailable(Missing(reason=MissingReason.FAILED, call=call)) from None

    def _client(self, service: Service, region: str) -> Any:
        client = self._clients.get((service, region))
        if client is None:
            with self._client_lock:
                client = self._session.client(service, region_name=region, config=READS)
                self._clients[(service, region)] = client
        return client


def reason_of(exc: ClientError | BotoCoreError) -> MissingReason:
    """Why a read failed."""
    if isinstance(exc, ClientError):
        code = code_of(exc)
        if code in CREDENTIALS:
            return MissingReason.DENIED
        if code in THROTTLES:
            return MissingReason.THROTTLED
        return MissingReason.ABSENT if code in ABSENT else MissingReason.FAILED
    name = type(exc).__name__
    if name in {"NoCredentialsError", "PartialCredentialsError"}:
        return MissingReason.DENIED
    return MissingReason.SILENT if name in _SILENT else MissingReason.FAILED
