"""The stand-in AWS: CodeDeploy's blue/green for ECS, and the reads around it, over AWS's own protocols."""

import random
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Self

from app.sandbox.aws.calls import Calls
from app.sandbox.aws.controls import Controls
from app.sandbox.aws.deployments.history import add_history
from app.sandbox.aws.deployments.hook_calls import HookCalls, InvokeHook
from app.sandbox.aws.deployments.machine import Machine
from app.sandbox.aws.deployments.pace import Pace
from app.sandbox.aws.faults import Faults
from app.sandbox.aws.services.codedeploy import CodeDeploy
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.clock import Clock
from app.sandbox.aws.state.lock import AccountLock
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, REGION, SandboxDomain
from app.sandbox.aws.wire import Wire
from app.sandbox.server import ServerThread


class AwsStandIn(Controls):
    """One AWS account in one region, at `url`. Every method may be called from any thread.

    `invoke_hook` is the Lambda function: it gets CodeDeploy's event in a worker thread; what it returns is
    ignored, and when it raises the deployment waits on, as it does at AWS. `speed` is stand-in seconds per
    real second and may be changed at any time; 0 stands still, and time moves by `clock.advance` alone.
    `pace`: how long its steps take; it, too, may be changed at any time.
    The same `seed` gives the same ids and the same random faults.
    """

    def __init__(
        self,
        domains: Iterable[SandboxDomain] = EIGHT_DOMAINS,
        *,
        invoke_hook: InvokeHook,
        speed: float = 1.0,
        pace: Pace | None = None,
        start: datetime | None = None,
        seed: int | None = None,
        history: bool = False,
        remember: int = 100_000,
        regions: Collection[str] = (REGION,),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """`start`: the stand-in's first moment (now). `history`: every domain has a deployment that
        succeeded yesterday, so that even the first switch has something to be undone to. `remember`: how
        many calls are kept. `regions`: those whose signatures are taken; its answers are of its own region."""
        chance = random.Random(seed)
        lock = AccountLock()
        clock = Clock(lock, speed=speed, start=start)
        self.faults = Faults(seed)
        calls = Calls(remember)
        account = Account(domains, lock=lock, clock=clock, chance=chance)
        if history:
            add_history(account)
        hooks = HookCalls(invoke_hook, lock=lock, clock=clock, faults=self.faults, chance=chance)
        machine = Machine(account, hooks, pace or Pace())
        codedeploy = CodeDeploy(account, machine)
        self.roles, self.hook_setup = account.roles, account.hook_setup
        super().__init__(account, codedeploy=codedeploy, machine=machine, hooks=hooks, calls=calls)
        wire = Wire(account, codedeploy, faults=self.faults, calls=calls, regions=regions)
        self._server = ServerThread(wire.application(), host=host, port=port)
        self.url = self._server.url

    def start(self) -> Self:
        """Returns once connections are accepted and time runs."""
        self._server.start()
        self.clock.start()
        return self

    def stop(self) -> None:
        """Time stops, connections close; hooks that are running are left to end by themselves."""
        self.clock.stop()
        self._hooks.stop()
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def speed(self) -> float:
        return self.clock.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.clock.speed = speed

    @property
    def pace(self) -> Pace:
        return self._machine.pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._machine.pace = pace

    def environment(self) -> dict[str, str]:
        """The environment that points an unchanged boto3 here."""
        services = (
            "CODEDEPLOY",
            "ECS",
            "ELASTIC_LOAD_BALANCING_V2",
            "CLOUDWATCH",
            "STS",
            "IAM",
            "LAMBDA",
            "EVENTBRIDGE",
        )
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIASANDBOXSANDBOX00",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            **{f"AWS_ENDPOINT_URL_{service}": self.url for service in services},
        }
