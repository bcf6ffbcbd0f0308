"""CodeDeploy's calls to the hook's Lambda function."""

import base64
import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from app.sandbox.aws.faults import Faults
from app.sandbox.aws.state.clock import Clock
from app.sandbox.aws.state.deployment import Deployment, LifecycleEvent
from app.sandbox.aws.state.lock import AccountLock

InvokeHook = Callable[[dict[str, str]], object]


@dataclass(frozen=True, slots=True)
class HookCall:
    """`outcome`: `lost` (a fault kept it), `running`, `returned`, or `crashed: <exception's type>`."""

    deployment_id: str
    event: str
    when: datetime
    outcome: str


class HookCalls:
    """Invokes in worker threads; what the function returns or raises does not move the deployment."""

    def __init__(
        self, invoke: InvokeHook, *, lock: AccountLock, clock: Clock, faults: Faults, chance: random.Random
    ) -> None:
        self._invoke = invoke
        self._lock = lock
        self._clock = clock
        self._faults = faults
        self._chance = chance
        self._workers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="stand-in:lambda")
        self.made: list[HookCall] = []

    @property
    def ending_reads(self) -> int:
        """For how many reads an answered hook still shows as running."""
        return self._faults.ending_reads

    @property
    def unfound_reads(self) -> int:
        """For how many reads a new deployment is not found."""
        return self._faults.unfound_reads

    def takes_late_answer(self) -> bool:
        """Whether an answer to a hook that has one already gets a 200."""
        return self._faults.takes_late_answer()

    def call(self, deployment: Deployment, event: LifecycleEvent) -> None:
        """With the lock held: makes the execution id and calls the function, as many times as the faults say."""
        execution_id = self._new_execution_id()
        deployment.executions[execution_id] = event
        event.unseen_reads = self._faults.progress_reads
        payload = {"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": execution_id}
        times = self._faults.hook_deliveries()
        for _ in range(max(1, times)):
            if times:
                self._send(deployment, event, payload)
            else:
                self.made.append(HookCall(deployment.id, event.name, self._clock.now(), "lost"))

    def call_again(self, deployment: Deployment) -> None:
        """With the lock held: repeats the call of the same execution. Raises `ValueError` if no hook is pending."""
        event = deployment.running_event
        execution_id = next((id_ for id_, one in deployment.executions.items() if one is event), None)
        if event is None or execution_id is None:
            raise ValueError(f"{deployment.id} waits for no hook")
        payload = {"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": execution_id}
        self._send(deployment, event, payload)

    def _send(self, deployment: Deployment, event: LifecycleEvent, payload: dict[str, str]) -> None:
        number = len(self.made)
        self.made.append(HookCall(deployment.id, event.name, self._clock.now(), "running"))
        self._workers.submit(self._deliver, number, dict(payload))

    def stop(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, number: int, payload: dict[str, str]) -> None:
        try:
            self._invoke(payload)
            outcome = "returned"
        except Exception as crash:  # whatever a Lambda function raises, CodeDeploy goes on waiting
            outcome = f"crashed: {type(crash).__name__}"
        with self._lock.hold():
            self.made[number] = replace(self.made[number], outcome=outcome)
            self._lock.notify()

    def _new_execution_id(self) -> str:
        """An opaque blob like CodeDeploy's: base64 of JSON around something encrypted."""
        blob = {
            "encryptedData": base64.b64encode(self._chance.randbytes(240)).decode(),
            "ivParameterSpec": base64.b64encode(self._chance.randbytes(12)).decode(),
            "materialSetSerial": 1,
        }
        return base64.b64encode(json.dumps(blob, separators=(",", ":")).encode()).decode()
