"""`POST /hooks/codedeploy`: verify, parse, open the gate, answer. Workers post to Slack and collect evidence."""

from datetime import datetime
from typing import Final

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.concurrency.timeouts import run_with_timeout
from app.flow.lifecycle.confirm_hook import DeploymentNotManaged, WrongEvent
from app.flow.lifecycle.open_gate import Hook, Known, Opened, open_gate
from app.flow.ports.codedeploy import Deployments
from app.flow.ports.database import DatabaseUnavailable, GateRecord
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.state_machine import Awaiting
from app.observability.metrics import HOOKS
from app.web.hooks.message import Malformed, read_hook
from app.web.hooks.request_auth import RequestAuth, RequestRejected, error_response, malformed_request
from app.workers.foreground import ForegroundTracker
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

OPEN_SECONDS: Final = 8.0
"""The Lambda gives up on us after 10."""


class HookReceiver:
    """The endpoint of CodeDeploy's hooks."""

    def __init__(
        self,
        *,
        request_auth: RequestAuth,
        record: GateRecord,
        deployments: Deployments,
        rules: Rules,
        region: str,
        wakeups: Wakeups,
        foreground: ForegroundTracker,
    ) -> None:
        self._request_auth = request_auth
        self._record = record
        self._deployments = deployments
        self._rules = rules
        self._region = region
        self._wakeups = wakeups
        self._foreground = foreground

    def router(self) -> APIRouter:
        """The route, as in the contract: 202, 200, 400, 401, 422, 503."""
        router = APIRouter(tags=["hooks"])
        router.add_api_route(
            "/hooks/codedeploy", self.receive, methods=["POST"], status_code=202, response_class=JSONResponse
        )
        return router

    async def receive(self, request: Request) -> JSONResponse:
        """Forwards one CodeDeploy lifecycle hook; repeated or concurrent, it opens one gate."""
        with self._foreground.request():
            answer, outcome = await self._receive(request)
        HOOKS.labels(outcome=outcome).inc()
        return answer

    async def _receive(self, request: Request) -> tuple[JSONResponse, str]:
        try:
            body, kid = await self._request_auth.authenticate(request)
            hook = read_hook(body, sender=kid, region=self._region)
        except RequestRejected as refused:
            return refused.answer, refused.outcome
        except Malformed as malformed:
            unread = malformed_request(malformed)
            return unread.answer, unread.outcome
        return await self._open(hook, self._request_auth.clock())

    async def _open(self, hook: Hook, now: datetime) -> tuple[JSONResponse, str]:
        try:
            opening = open_gate(
                hook, record=self._record, deployments=self._deployments, rules=self._rules, now=now
            )
            found = await run_with_timeout(OPEN_SECONDS, opening)
        except DeploymentNotManaged as theirs:
            log.warning("hook_refused", why=str(theirs), deployment=hook.key.deployment)
            code = "wrong_event" if isinstance(theirs, WrongEvent) else "not_ours"
            return error_response(422, code, str(theirs)), code
        except (DatabaseUnavailable, TimeoutError) as exc:
            log.error("hook_not_recorded", problem=type(exc).__name__)
            return error_response(
                503, "try_again", "the record does not answer; send this hook again"
            ), "record_away"
        return self._found(found)

    def _found(self, found: Opened | Known) -> tuple[JSONResponse, str]:
        if isinstance(found, Known):
            return JSONResponse(_known(found.view), 200), "known"
        self._wakeups.notify("gate_opened")
        log.info("gate_opened", gate=str(found.gate), verified=found.verified)
        state = "awaiting" if found.verified else "unverified"
        return JSONResponse({"gate": str(found.gate), "state": state}, 202), "opened"


def _known(view: GateView) -> dict[str, str]:
    state = "awaiting" if isinstance(view.gate, Awaiting) else view.gate.verdict.value
    return {"gate": str(view.id), "state": state}
