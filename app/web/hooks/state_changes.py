"""`POST /events/codedeploy`: EventBridge reports a change of a deployment, which is then polled at once.

Events may be lost, late, doubled or out of order, so nothing is believed of them but that looking is worth it.
https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.concurrency.timeouts import run_with_timeout
from app.flow.ports.database import DatabaseUnavailable
from app.gate.ids import DeploymentId, SwitchKey
from app.observability.metrics import STATE_CHANGES
from app.web.hooks.message import Account, Malformed, Region
from app.web.hooks.request_auth import RequestAuth, RequestRejected, error_response, malformed_request
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

WAKE_SECONDS = 5.0


class _Detail(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    deployment: Annotated[
        str, Field(alias="deploymentId"), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")
    ]


class StateChange(BaseModel):
    """What is read of the event; whatever else EventBridge puts in is passed over."""

    model_config = ConfigDict(hide_input_in_errors=True)

    source: Literal["aws.codedeploy"]
    detail_type: Annotated[
        Literal["CodeDeploy Deployment State-change Notification"], Field(alias="detail-type")
    ]
    account: Account
    region: Region
    detail: _Detail


class StateChangeReceiver:
    """The endpoint of EventBridge's events. `wake` returns whether it is a live switch."""

    def __init__(
        self,
        *,
        request_auth: RequestAuth,
        wake: Callable[[SwitchKey], Awaitable[bool]],
        wakeups: Wakeups,
    ) -> None:
        self._request_auth = request_auth
        self._wake = wake
        self._wakeups = wakeups

    def router(self) -> APIRouter:
        """The route: 202, 400, 401, 503."""
        router = APIRouter(tags=["hooks"])
        router.add_api_route(
            "/events/codedeploy", self.receive, methods=["POST"], status_code=202, response_class=JSONResponse
        )
        return router

    async def receive(self, request: Request) -> JSONResponse:
        """Takes an EventBridge state change of a deployment as a hint to look at it now."""
        try:
            body, _ = await self._request_auth.authenticate(request)
            key = _key(body)
            known = await run_with_timeout(WAKE_SECONDS, self._look(key))
        except RequestRejected as refused:
            STATE_CHANGES.labels(outcome=refused.outcome).inc()
            return refused.answer
        except (DatabaseUnavailable, TimeoutError):
            STATE_CHANGES.labels(outcome="record_away").inc()
            return error_response(
                503, "try_again", "the record does not answer; nothing is lost if you do not"
            )
        STATE_CHANGES.labels(outcome="known" if known else "unknown").inc()
        return JSONResponse({"known": known}, 202)

    async def _look(self, key: SwitchKey) -> bool:
        known = await self._wake(key)
        if known:
            self._wakeups.notify("poll_requested")
        return known


def _key(body: bytes) -> SwitchKey:
    try:
        event = StateChange.model_validate_json(body)
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in exc.errors()]
        raise malformed_request(Malformed(problems)) from None
    return SwitchKey(
        account=event.account, region=event.region, deployment=DeploymentId(event.detail.deployment)
    )
