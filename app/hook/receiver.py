"""`POST /hooks/codedeploy`: verify, parse, open the gate, answer. Slack and evidence are the loops' work."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.flow.open_gate import Hook, Known, NotOurs, Opened, open_gate
from app.flow.ports import Deployments, GateRecord, RecordAway, Rules
from app.flow.views import GateView
from app.gate.states import Awaiting
from app.hook.message import Malformed, read_hook
from app.hook.signature import BadSignature, HookKeys
from app.metrics import HOOKS
from app.within import within

log = structlog.get_logger(__name__)

LARGEST: Final = 64 * 1024

OPEN_SECONDS: Final = 8.0
"""The Lambda gives up on us after 10."""


class TooLarge(Exception):
    """The body is over 64 KiB."""


class HookReceiver:
    """Where hooks come in."""

    def __init__(
        self,
        *,
        keys: HookKeys,
        record: GateRecord,
        deployments: Deployments,
        rules: Rules,
        region: str,
        opened: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._keys = keys
        self._record = record
        self._deployments = deployments
        self._rules = rules
        self._region = region
        self._opened = opened
        self._clock = clock

    def router(self) -> APIRouter:
        """The route, as in the contract: 202, 200, 400, 401, 422, 503."""
        router = APIRouter(tags=["hooks"])
        router.add_api_route(
            "/hooks/codedeploy", self.receive, methods=["POST"], status_code=202, response_class=JSONResponse
        )
        return router

    async def receive(self, request: Request) -> JSONResponse:
        """Forwards one CodeDeploy lifecycle hook; repeated or concurrent, it opens one gate."""
        answer, outcome = await self._receive(request)
        HOOKS.labels(outcome=outcome).inc()
        return answer

    async def _receive(self, request: Request) -> tuple[JSONResponse, str]:
        now = self._clock()
        try:
            body = await read_body(request)
            kid = self._keys.verify(
                headers=request.headers, method="POST", path=request.url.path, body=body, now=now
            )
            if not _is_json(request):
                raise Malformed(["Content-Type: send application/json"])
            hook = read_hook(body, sender=kid, region=self._region)
        except TooLarge:
            return _refusal(400, "too_large", f"the body is over {LARGEST} bytes"), "too_large"
        except BadSignature as refusal:
            log.warning("hook_refused", why=refusal.reason)
            return _refusal(401, str(refusal.reason), str(refusal)), "bad_signature"
        except Malformed as refusal:
            return _refusal(400, "malformed", str(refusal), problems=refusal.problems), "malformed"
        return await self._open(hook, now)

    async def _open(self, hook: Hook, now: datetime) -> tuple[JSONResponse, str]:
        try:
            opening = open_gate(
                hook, record=self._record, deployments=self._deployments, rules=self._rules, now=now
            )
            found = await within(OPEN_SECONDS, opening)
        except NotOurs as refusal:
            log.warning("hook_refused", why=str(refusal), deployment=hook.key.deployment)
            return _refusal(422, "not_ours", str(refusal)), "not_ours"
        except (RecordAway, TimeoutError) as trouble:
            log.error("hook_not_recorded", problem=type(trouble).__name__)
            return _refusal(
                503, "try_again", "the record does not answer; send this hook again"
            ), "record_away"
        return self._found(found)

    def _found(self, found: Opened | Known) -> tuple[JSONResponse, str]:
        if isinstance(found, Known):
            return JSONResponse(_known(found.view), 200), "known"
        self._opened()
        log.info("gate_opened", gate=str(found.gate), verified=found.verified)
        state = "awaiting" if found.verified else "unverified"
        return JSONResponse({"gate": str(found.gate), "state": state}, 202), "opened"


async def read_body(request: Request) -> bytes:
    """The body, if it is not larger than a hook can be; nothing beyond that is kept. Raises `TooLarge`."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > LARGEST:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise TooLarge
    return bytes(body)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def _known(view: GateView) -> dict[str, str]:
    state = "awaiting" if isinstance(view.gate, Awaiting) else view.gate.verdict.value
    return {"gate": str(view.id), "state": state}


def _refusal(status: int, code: str, message: str, **more: object) -> JSONResponse:
    return JSONResponse({"error": code, "message": message, **more}, status)
