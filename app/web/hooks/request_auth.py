"""Authenticates requests to the signed endpoints: JSON that is signed with an accepted key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse

from app.web.hooks.message import Malformed
from app.web.hooks.signature import BadSignature, HookKeys

log = structlog.get_logger(__name__)


class RequestRejected(Exception):
    """The request is answered with `answer`; `outcome` is what the metrics call it."""

    def __init__(self, answer: JSONResponse, outcome: str) -> None:
        super().__init__(outcome)
        self.answer = answer
        self.outcome = outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestAuth:
    """The accepted keys, and the clock that signatures are compared with."""

    keys: HookKeys
    clock: Callable[[], datetime]

    async def authenticate(self, request: Request) -> tuple[bytes, str]:
        """The body and the kid of the key that signed it. Raises `RequestRejected`."""
        try:
            body = await request.body()
            kid = self.keys.verify(
                headers=request.headers, method="POST", path=request.url.path, body=body, now=self.clock()
            )
        except BadSignature as bad:
            log.warning("hook_refused", why=bad.reason)
            raise RequestRejected(error_response(401, str(bad.reason), str(bad)), "bad_signature") from None
        if not _is_json(request):
            raise malformed_request(Malformed(["Content-Type: send application/json"]))
        return body, kid


def malformed_request(malformed: Malformed) -> RequestRejected:
    """A body that the endpoint does not accept; the problems name fields, never values."""
    answer = error_response(400, "malformed", str(malformed), problems=malformed.problems)
    return RequestRejected(answer, "malformed")


def error_response(status: int, code: str, message: str, **more: object) -> JSONResponse:
    """The error response: `error` for machines, `message` for people."""
    return JSONResponse({"error": code, "message": message, **more}, status)


def _is_json(request: Request) -> bool:
    """Whether the content type is JSON or missing."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return kind in {"application/json", ""}
