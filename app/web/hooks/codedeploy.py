"""`POST /hooks/codedeploy`: opens the gate and answers. Workers post to Slack and collect evidence."""

from typing import Final

import structlog
from fastapi import APIRouter, Response
from pydantic import BaseModel
from structlog.contextvars import bind_contextvars

from app.concurrency.timeouts import run_with_timeout
from app.flow.lifecycle.confirm_hook import DeploymentNotManaged, WrongEvent
from app.flow.lifecycle.open_gate import Hook, Known, Opened, open_gate
from app.flow.ports.database import DatabaseUnavailable
from app.flow.read_models import GateView
from app.gate.state_machine import Awaiting
from app.observability.metrics import HOOKS
from app.observability.tracing import span
from app.web.hooks.dependencies import HOOKS_PATH, HookServices, Services, SignedRoute, Signer
from app.web.hooks.message import HookMessage
from app.web.problems import ProblemError, problem_responses

log = structlog.get_logger(__name__)

OPEN_SECONDS: Final = 8.0
"""The Lambda gives up on us after 10."""


class GateState(BaseModel):
    """The gate that the hook opened or had opened: `unverified` until CodeDeploy confirms the deployment."""

    gate: str
    state: str


router = APIRouter(
    tags=["hooks"],
    route_class=SignedRoute,
    responses=problem_responses(400, 401, 422, 503),
    strict_content_type=False,  # what is signed may leave out that it is JSON
)


@router.post(HOOKS_PATH, status_code=202, responses={200: {"model": GateState}})
async def receive_hook(
    message: HookMessage, sender: Signer, services: Services, response: Response
) -> GateState:
    """Forwards one CodeDeploy lifecycle hook; repeated or concurrent, it opens one gate."""
    bind_contextvars(deployment=message.deployment)
    received_at = services.clock()
    with services.foreground.request():
        found = await _open(message.hook(sender=sender, region=services.region), services)
    if isinstance(found, Known):
        bind_contextvars(gate=str(found.view.id))
        HOOKS.labels(outcome="known").inc()
        response.status_code = 200
        return GateState(gate=str(found.view.id), state=_state(found.view))
    bind_contextvars(gate=str(found.gate))
    with span("hook", gate=str(found.gate), deployment=message.deployment, started_at=received_at):
        pass  # the gate's id, and thereby its trace, was not known before
    HOOKS.labels(outcome="opened").inc()
    services.wakeups.notify("gate_opened")
    log.info("gate_opened", verified=found.verified)
    return GateState(gate=str(found.gate), state="awaiting" if found.verified else "unverified")


async def _open(hook: Hook, services: HookServices) -> Opened | Known:
    """Raises 422 for a deployment that must not be touched, 503 while the database is away."""
    opening = open_gate(
        hook,
        repository=services.repository,
        deployments=services.deployments,
        rules=services.rules,
        now=services.clock(),
    )
    try:
        return await run_with_timeout(OPEN_SECONDS, opening)
    except DeploymentNotManaged as exc:
        log.warning("hook_refused", why=str(exc))
        code = "wrong_event" if isinstance(exc, WrongEvent) else "not_ours"
        raise ProblemError(422, code, str(exc)) from None
    except (DatabaseUnavailable, TimeoutError) as exc:
        log.error("hook_not_saved", problem=type(exc).__name__)
        detail = "the database does not answer; send this hook again"
        raise ProblemError(503, "try_again", detail) from None


def _state(view: GateView) -> str:
    return "awaiting" if isinstance(view.gate, Awaiting) else view.gate.verdict.value
