"""What one does in the other half: deploy, stop, alarm, move the clock, make trouble, kill the service."""

import asyncio
from typing import Any, Final, Literal

from app.sandbox.aws.errors import AwsError
from app.sandbox.fakes import Fakes
from app.sandbox.page.action import Asked, Deed, Told
from app.sandbox.page.domains_pane import live_deployment
from app.sandbox.page.fault_toggles import FaultToggles
from app.sandbox.page.service import Service
from app.sandbox.people import JUN
from app.sandbox.pipeline import Pipeline
from app.sandbox.slack.shapes import User

SPEEDS: Final = (1, 10, 60)


class Deploy(Asked):
    """`domain` None: all of them. `own`: the person who acts deploys, not the usual one."""

    domain: str | None
    shift: Literal["all-at-once", "canary", "linear"] = "all-at-once"
    own: bool = False


class OfDomain(Asked):
    domain: str


class Alarm(OfDomain):
    on: bool


class Smoke(OfDomain):
    passes: bool


class Clock(Asked):
    speed: Literal[1, 10, 60]


class Switch(Asked):
    name: str
    on: bool


class ServiceOrder(Asked):
    order: Literal["kill", "start"]


class EnvironmentActions:
    """By the path that the page posts to."""

    def __init__(self, fakes: Fakes, pipeline: Pipeline, *, troubles: FaultToggles, service: Service) -> None:
        self._fakes = fakes
        self._aws = fakes.aws
        self._pipeline = pipeline
        self._troubles = troubles
        self._service = service

    def all(self) -> dict[str, Deed[Any]]:
        return {
            "deploy": Deed(Deploy, self.deploy),
            "stop": Deed(OfDomain, self.stop),
            "alarm": Deed(Alarm, self.alarm),
            "smoke": Deed(Smoke, self.smoke),
            "clock": Deed(Clock, self.clock),
            "trouble": Deed(Switch, self.trouble),
            "calm": Deed(Asked, self.calm),
            "service": Deed(ServiceOrder, self.service),
        }

    async def deploy(self, asked: Deploy) -> Told:
        by = self._fakes.slack.people.user(asked.who) if asked.own else JUN
        if asked.domain is None:
            return self._deploy_all(asked.shift, by)
        self._known(asked.domain)
        deployment = self._pipeline.push(asked.domain, shift=asked.shift, by=by)
        return Told(f"{by.real_name} deploys {asked.domain} ({deployment}).")

    def _deploy_all(self, shift: str, by: User) -> Told:
        begun: list[str] = []
        busy: list[str] = []
        for domain in self._aws.domains():
            try:
                self._pipeline.push(domain.name, shift=shift, by=by)
                begun.append(domain.name)
            except AwsError:
                busy.append(domain.name)
        rest = f" Left out, still under way: {', '.join(busy)}." if busy else ""
        return Told(
            f"{by.real_name} deploys {len(begun)} of {len(begun) + len(busy)}.{rest}", trouble=not begun
        )

    async def stop(self, asked: OfDomain) -> Told:
        self._known(asked.domain)
        live = live_deployment(self._aws, asked.domain)
        if live is None:
            return Told(f"Nothing is under way at {asked.domain}.", trouble=True)
        self._aws.stop_deployment(live.id)
        return Told(f"{live.id} was stopped in the AWS console.")

    async def alarm(self, asked: Alarm) -> Told:
        self._known(asked.domain)
        self._aws.set_alarm(asked.domain, "ALARM" if asked.on else "OK")
        return Told(f"The alarm of {asked.domain} {'goes off' if asked.on else 'is over'}.")

    async def smoke(self, asked: Smoke) -> Told:
        self._pipeline.smoke_tests.find(asked.domain, passes=asked.passes)
        return Told()

    async def clock(self, asked: Clock) -> Told:
        self._aws.speed = float(asked.speed)
        return Told()

    async def trouble(self, asked: Switch) -> Told:
        trouble = self._troubles.switch(asked.name, on=asked.on)
        return Told(f"{trouble.words}. {trouble.what}" if asked.on else f"Over: {trouble.words}.")

    async def calm(self, _asked: Asked) -> Told:
        self._troubles.calm()
        return Told("Nothing goes wrong any more.")

    async def service(self, asked: ServiceOrder) -> Told:
        if asked.order == "kill":
            await asyncio.to_thread(self._service.kill)
            return Told("The service was killed. What was decided is in the record.")
        await asyncio.to_thread(self._service.start)
        return Told("The service is back.")

    def _known(self, domain: str) -> None:
        if domain not in {one.name for one in self._aws.domains()}:
            raise LookupError(f"no domain {domain}")
