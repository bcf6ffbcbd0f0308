"""`POST /events/codedeploy`: EventBridge reports a state change of a deployment, which is then polled at once.

Events may be lost, late, doubled or out of order, so their content is not used: they only make the poll due.
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
"""

from typing import Annotated, Final, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from structlog.contextvars import bind_contextvars

from app.concurrency.timeouts import run_with_timeout
from app.flow.ports.database import DatabaseUnavailable
from app.gate.ids import AWS_ACCOUNT, AWS_REGION, DeploymentId, SwitchKey
from app.observability.metrics import STATE_CHANGES
from app.web.hooks.dependencies import EVENTS_PATH, Services, SignedRoute
from app.web.hooks.message import DEPLOYMENT
from app.web.problems import ProblemError, problem_responses

WAKE_SECONDS: Final = 5.0


class Detail(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    deployment: Annotated[str, Field(alias="deploymentId", pattern=DEPLOYMENT)]


class StateChange(BaseModel):
    """What is read of the event; whatever else EventBridge puts in is passed over."""

    model_config = ConfigDict(hide_input_in_errors=True)

    source: Annotated[Literal["aws.codedeploy"], Field(description="Forward CodeDeploy's events only.")]
    detail_type: Annotated[
        Literal["CodeDeploy Deployment State-change Notification"],
        Field(alias="detail-type", description="Forward changes of deployments only."),
    ]
    account: Annotated[str, Field(pattern=AWS_ACCOUNT, description="Send it as EventBridge gives it.")]
    region: Annotated[str, Field(pattern=AWS_REGION, description="Send it as EventBridge gives it.")]
    detail: Annotated[Detail, Field(description="Send it as EventBridge gives it.")]


class Hint(BaseModel):
    """Whether the deployment is a live switch, which is now polled."""

    known: bool


router = APIRouter(
    tags=["hooks"],
    route_class=SignedRoute,
    responses=problem_responses(400, 401, 503),
    strict_content_type=False,  # what is signed may leave out that it is JSON
)


@router.post(EVENTS_PATH, status_code=202)
async def receive_state_change(event: StateChange, services: Services) -> Hint:
    """Polls the deployment now that an EventBridge event names."""
    deployment = DeploymentId(event.detail.deployment)
    bind_contextvars(deployment=deployment)
    key = SwitchKey(account=event.account, region=event.region, deployment=deployment)
    try:
        known = await run_with_timeout(WAKE_SECONDS, services.wake(key))
    except (DatabaseUnavailable, TimeoutError):
        detail = "the database does not answer; nothing is lost if you do not send it again"
        raise ProblemError(503, "try_again", detail) from None
    if known:
        services.wakeups.notify("poll_requested")
    STATE_CHANGES.labels(outcome="known" if known else "unknown").inc()
    return Hint(known=known)
