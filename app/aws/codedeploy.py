"""CodeDeploy through boto3, in worker threads. boto3 retries once and at once; the workers do all further retries."""

import asyncio
import threading
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from app.aws.codedeploy_responses import facts_of, target_of, traffic_of
from app.aws.errors import THROTTLES, answer_error, code_of, read_error
from app.aws.previous_revision import RevisionReader, redeployment
from app.concurrency.batch_loader import BatchLoader
from app.flow.ports.codedeploy import (
    CodeDeployUnavailable,
    DeploymentFacts,
    HookProgress,
    NoSuchDeployment,
    Target,
)
from app.flow.read_models import Traffic
from app.gate.decision import Answer
from app.gate.ids import ExecutionId, SwitchKey
from app.gate.previous_revision import PreviousRevision

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_ecs import ECSClient

T = TypeVar("T")

THREADS: Final = 16
TARGETS_KEPT: Final = 2000
BATCH: Final = 25
"""BatchGetDeployments takes at most 25 ids."""

READS: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=THREADS,
    tcp_keepalive=True,
    parameter_validation=False,
)
ANSWERS: Final = READS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=8))
"""No retry by boto3: the report worker decides about it, by what the database says."""

OPTIONAL_READS: Final = READS.merge(
    Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
)
"""For reads that an undo makes first and can do without."""


class CodeDeploy:
    """See `app.flow.ports.codedeploy.Deployments`. One boto3 client a region, made at first use."""

    def __init__(self, session: boto3.session.Session, *, region: str) -> None:
        self._session = session
        self.region = region
        self._reading = ThreadPoolExecutor(THREADS, thread_name_prefix="codedeploy-reads")
        # Separate threads: a call that answers a hook never queues behind reads that hang.
        self._answering = ThreadPoolExecutor(THREADS, thread_name_prefix="codedeploy-answers")
        self.client_lock = threading.Lock()
        self._clients: dict[tuple[str, bool], CodeDeployClient] = {}
        self._ecs: dict[str, ECSClient] = {}
        self._deployments: dict[str, BatchLoader[str, DeploymentFacts]] = {}
        self._traffic: dict[tuple[str, str], Traffic] = {}
        self._targets: dict[SwitchKey, str] = {}

    def warm_up(self) -> None:
        """Builds the default region's clients, which takes boto3 some 100 ms, before the first request needs them."""
        self.boto(self.region, answers=False)
        self.boto(self.region, answers=True)

    def close(self, *, wait: bool = True) -> None:
        """Waits for running calls if `wait`, then closes the clients. No call may be made afterwards."""
        self._reading.shutdown(wait=wait, cancel_futures=True)
        self._answering.shutdown(wait=wait, cancel_futures=True)
        close_clients(self._clients)
        close_clients(self._ecs)

    async def deployment(self, key: SwitchKey) -> DeploymentFacts:
        """GetDeployment, or BatchGetDeployments for several look-ups at once."""
        loader = self._deployments.get(key.region)
        if loader is None:
            loader = BatchLoader(
                partial(self._fetch_deployments, key.region), max_batch=BATCH, max_concurrent=2
            )
            self._deployments[key.region] = loader
        return await loader.get(key.deployment)

    async def hook_progress(self, key: SwitchKey, *, hook_name: str) -> HookProgress | None:
        """One lifecycle event of the deployment's target."""
        target = await self.target(key)
        return target.events.get(hook_name) if target else None

    async def target(self, key: SwitchKey) -> Target | None:
        """The deployment's one target (an ECS deployment has one: its service)."""

        def fetch() -> Target | None:
            client = self.boto(key.region)
            target_id = self._targets.get(key)
            if target_id is None:
                targets = client.list_deployment_targets(deploymentId=key.deployment).get("targetIds", [])
                if not targets:
                    return None
                target_id = targets[0]
                self._remember_target(key, target_id)
            found = client.get_deployment_target(deploymentId=key.deployment, targetId=target_id)
            return target_of(dict(found.get("deploymentTarget", {})))

        try:
            return await self.read(fetch)
        except NoSuchDeployment:
            return None

    def _remember_target(self, key: SwitchKey, target_id: str) -> None:
        """It never changes; cached for the switches that are polled now."""
        while len(self._targets) >= TARGETS_KEPT:
            self._targets.pop(next(iter(self._targets)), None)
        self._targets[key] = target_id

    async def traffic(self, key: SwitchKey, *, config_name: str) -> Traffic:
        """How a deployment configuration moves traffic; it never changes, so it is asked once."""
        known = self._traffic.get((key.region, config_name))
        if known is not None:
            return known

        def fetch() -> Traffic:
            answer = self.boto(key.region).get_deployment_config(deploymentConfigName=config_name)
            info: dict[str, Any] = dict(answer.get("deploymentConfigInfo", {}))
            return traffic_of(info.get("trafficRoutingConfig"))

        traffic = self._traffic[(key.region, config_name)] = await self.read(fetch)
        return traffic

    async def previous_revision(self, key: SwitchKey, *, blue: str | None) -> PreviousRevision:
        """GetDeployment, then GetApplicationRevision and DescribeTaskDefinition of what it names."""

        def fetch() -> PreviousRevision:
            info = self.boto(key.region).get_deployment(deploymentId=key.deployment)["deploymentInfo"]
            read = self.revision_reader(key.region)
            return redeployment(cast("dict[str, Any]", info), blue=blue, read=read).previous

        return await self.read(fetch)

    def revision_reader(self, region: str) -> RevisionReader:
        """To be used in a worker thread."""
        client = self._ecs.get(region)
        if client is None:
            with self.client_lock:
                client = self._session.client("ecs", region_name=region, config=OPTIONAL_READS)
                self._ecs[region] = client
        return RevisionReader(codedeploy=self.boto(region), ecs=client)

    async def answer(self, key: SwitchKey, *, execution_id: ExecutionId, answer: Answer) -> None:
        """PutLifecycleEventHookExecutionStatus, once."""

        def put() -> None:
            self.boto(key.region, answers=True).put_lifecycle_event_hook_execution_status(
                deploymentId=key.deployment,
                lifecycleEventHookExecutionId=execution_id.reveal(),
                status=answer.value,
            )

        try:
            await self.in_thread(put, answers=True)
        except (ClientError, BotoCoreError) as exc:
            raise answer_error(exc) from None

    async def _fetch_deployments(
        self, region: str, deployments: Sequence[str]
    ) -> Sequence[DeploymentFacts | Exception]:
        found: Mapping[str, DeploymentFacts] = {}
        if len(deployments) > 1:
            try:
                found = await self.in_thread(partial(self._batch_get_deployments, region, deployments))
            except (ClientError, BotoCoreError, CodeDeployUnavailable) as exc:
                if isinstance(exc, ClientError) and code_of(exc) in THROTTLES:
                    return [read_error(exc) for _ in deployments]
                # One bad id fails the whole batch. Read one by one, each id gets its own answer.
        missing = [deployment for deployment in deployments if deployment not in found]
        asked = await asyncio.gather(
            *(self.read(partial(self._get_deployment, region, deployment)) for deployment in missing),
            return_exceptions=True,
        )
        answers = {**found, **dict(zip(missing, asked, strict=True))}
        return [answers[deployment] for deployment in deployments]  # type: ignore[misc]  # gather's BaseException: no cancellation gets here

    def _batch_get_deployments(
        self, region: str, deployments: Sequence[str]
    ) -> Mapping[str, DeploymentFacts]:
        """Those that CodeDeploy knows; it leaves the others out."""
        found = self.boto(region).batch_get_deployments(deploymentIds=list(deployments))
        infos = found.get("deploymentsInfo", [])
        return {info["deploymentId"]: facts_of(info) for info in infos if "deploymentId" in info}

    def _get_deployment(self, region: str, deployment: str) -> DeploymentFacts:
        found = self.boto(region).get_deployment(deploymentId=deployment)
        return facts_of(found["deploymentInfo"])

    async def read(self, work: Callable[[], T]) -> T:
        """`work` in a worker thread, boto3's errors as `NoSuchDeployment` or `CodeDeployUnavailable`."""
        try:
            return await self.in_thread(work)
        except (ClientError, BotoCoreError) as exc:
            raise read_error(exc) from None

    async def in_thread(self, work: Callable[[], T], *, answers: bool = False) -> T:
        """`work` in a worker thread. An answer that makes no sense is `CodeDeployUnavailable`."""
        threads = self._answering if answers else self._reading
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        except (KeyError, ValueError, TypeError, ResponseParserError) as exc:
            raise CodeDeployUnavailable(f"an answer that makes no sense ({type(exc).__name__})") from exc

    def boto(self, region: str, *, answers: bool = False) -> "CodeDeployClient":
        """boto3's client. `answers`: the one that tries once, for what must not happen twice."""
        client = self._clients.get((region, answers))
        if client is not None:
            return client
        with self.client_lock:  # a boto3 session makes one client at a time
            config = ANSWERS if answers else READS
            made = self._session.client("codedeploy", region_name=region, config=config)
            client = cast("CodeDeployClient", made)
            self._clients[(region, answers)] = client
        return client


def close_clients(clients: MutableMapping[Any, Any]) -> None:
    """Closes and drops boto3 clients: each holds megabytes of its service model."""
    while clients:
        clients.popitem()[1].close()
