"""Actions in the domains pane: deploy, stop, set an alarm or green's health, change the clock, toggle faults, kill the
service."""

import asyncio
from typing import Any, Final, Literal

from app.i18n.catalog import Texts
from app.sandbox.aws.errors import AwsError
from app.sandbox.fakes import Fakes
from app.sandbox.page.action import ActionRequest, ActionResult, PageAction
from app.sandbox.page.domains_pane import live_deployment
from app.sandbox.page.fault_toggles import FaultToggles
from app.sandbox.page.service import Service
from app.sandbox.people import JUN
from app.sandbox.pipeline import Pipeline
from app.sandbox.slack.state.shapes import User

SPEEDS: Final = (1, 10, 60)
FAILED_HEALTH_CHECK: Final = "Target.FailedHealthChecks"


class Deploy(ActionRequest):
    """`domain` None: all domains. `own`: the acting person is the deployer."""

    domain: str | None
    shift: Literal["all-at-once", "canary", "linear"] = "all-at-once"
    own: bool = False


class OfDomain(ActionRequest):
    domain: str


class Alarm(OfDomain):
    on: bool


class GreenHealth(OfDomain):
    healthy: bool


class Smoke(OfDomain):
    passes: bool


class Clock(ActionRequest):
    speed: Literal[1, 10, 60]


class Switch(ActionRequest):
    name: str
    on: bool


class ServiceOrder(ActionRequest):
    order: Literal["kill", "start"]


class EnvironmentActions:
    """The actions by the path that the page posts to."""

    def __init__(
        self, fakes: Fakes, pipeline: Pipeline, *, fault_toggles: FaultToggles, service: Service, text: Texts
    ) -> None:
        self._fakes = fakes
        self._aws = fakes.aws
        self._pipeline = pipeline
        self._fault_toggles = fault_toggles
        self._service = service
        self._text = text

    def all(self) -> dict[str, PageAction[Any]]:
        return {
            "deploy": PageAction(Deploy, self.deploy),
            "stop": PageAction(OfDomain, self.stop),
            "alarm": PageAction(Alarm, self.alarm),
            "health": PageAction(GreenHealth, self.green_health),
            "smoke": PageAction(Smoke, self.smoke),
            "clock": PageAction(Clock, self.clock),
            "trouble": PageAction(Switch, self.toggle_fault),
            "calm": PageAction(ActionRequest, self.clear_faults),
            "service": PageAction(ServiceOrder, self.service),
        }

    async def deploy(self, request: Deploy) -> ActionResult:
        by = self._fakes.slack.people.user(request.who) if request.own else JUN
        if request.domain is None:
            return self._deploy_all(request.shift, by)
        self._known(request.domain)
        deployment = self._pipeline.push(request.domain, shift=request.shift, by=by)
        deploys = self._text(
            "done.deploys", person=by.real_name, domain=request.domain, deployment=deployment
        )
        return ActionResult(deploys)

    def _deploy_all(self, shift: str, by: User) -> ActionResult:
        begun: list[str] = []
        busy: list[str] = []
        for domain in self._aws.domains():
            try:
                self._pipeline.push(domain.name, shift=shift, by=by)
                begun.append(domain.name)
            except AwsError:
                busy.append(domain.name)
        total = len(begun) + len(busy)
        said = [self._text("done.deploys_all", person=by.real_name, begun=len(begun), all=total)]
        if busy:
            said.append(self._text("done.left_out", domains=", ".join(busy)))
        return ActionResult(" ".join(said), failed=not begun)

    async def stop(self, request: OfDomain) -> ActionResult:
        self._known(request.domain)
        live = live_deployment(self._aws, request.domain)
        if live is None:
            return ActionResult(self._text("done.none_in_progress", domain=request.domain), failed=True)
        self._aws.stop_deployment(live.id)
        return ActionResult(self._text("done.stopped", deployment=live.id))

    async def alarm(self, request: Alarm) -> ActionResult:
        self._known(request.domain)
        self._aws.set_alarm(request.domain, "ALARM" if request.on else "OK")
        return ActionResult(self._text(f"done.alarm_{'on' if request.on else 'off'}", domain=request.domain))

    async def green_health(self, request: GreenHealth) -> ActionResult:
        self._known(request.domain)
        if self._aws.green_health(request.domain) is None:
            return ActionResult(self._text("done.no_green", domain=request.domain), failed=True)
        state, reason = ("healthy", "") if request.healthy else ("unhealthy", FAILED_HEALTH_CHECK)
        self._aws.set_health(request.domain, "green", state, reason=reason)
        return ActionResult(self._text(f"done.{state}", domain=request.domain))

    async def smoke(self, request: Smoke) -> ActionResult:
        self._pipeline.smoke_tests.find(request.domain, passes=request.passes)
        return ActionResult()

    async def clock(self, request: Clock) -> ActionResult:
        self._aws.speed = float(request.speed)
        return ActionResult()

    async def toggle_fault(self, request: Switch) -> ActionResult:
        toggle = self._fault_toggles.switch(request.name, on=request.on)
        name, what = (self._text(f"fault.{toggle.name}.{part}") for part in ("name", "what"))
        return ActionResult(self._text(f"done.fault_{'on' if request.on else 'off'}", name=name, what=what))

    async def clear_faults(self, _request: ActionRequest) -> ActionResult:
        self._fault_toggles.clear()
        return ActionResult(self._text("done.faults_off"))

    async def service(self, request: ServiceOrder) -> ActionResult:
        if request.order == "kill":
            await asyncio.to_thread(self._service.kill)
            return ActionResult(self._text("done.killed"))
        await asyncio.to_thread(self._service.start)
        return ActionResult(self._text("done.started"))

    def _known(self, domain: str) -> None:
        if domain not in {one.name for one in self._aws.domains()}:
            raise LookupError(f"no domain {domain}")
