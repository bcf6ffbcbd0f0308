"""Who may use the signed endpoints: a body signed with a key of ours, in JSON. `app.web.request_limits` bounds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse

from app.web.hooks.message import Malformed
from app.web.hooks.signature import BadSignature, HookKeys

log = structlog.get_logger(__name__)


class NotAdmitted(Exception):
    """The request is answered with `answer`; `outcome` is what the metrics call it."""

    def __init__(self, answer: JSONResponse, outcome: str) -> None:
        super().__init__(outcome)
        self.answer = answer
        self.outcome = outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """The accepted keys, and the clock that signatures are compared with."""

    keys: HookKeys
    clock: Callable[[], datetime]

    async def admit(self, request: Request) -> tuple[bytes, str]:
        """The body and the kid of the key that signed it. Raises `NotAdmitted`."""
        try:
            body = await request.body()
            kid = self.keys.verify(
                headers=request.headers, method="POST", path=request.url.path, body=body, now=self.clock()
            )
        except BadSignature as bad:
            log.warning("hook_refused", why=bad.reason)
            raise NotAdmitted(refusal(401, str(bad.reason), str(bad)), "bad_signature") from None
        if not _is_json(request):
            raise not_understood(Malformed(["Content-Type: send application/json"]))
        return body, kid


def not_understood(malformed: Malformed) -> NotAdmitted:
    """A body that is not what the door takes; the problems name fields, never values."""
    answer = refusal(400, "malformed", str(malformed), problems=malformed.problems)
    return NotAdmitted(answer, "malformed")


def refusal(status: int, code: str, message: str, **more: object) -> JSONResponse:
    """Why not, for machines (`error`) and people (`message`)."""
    return JSONResponse({"error": code, "message": message, **more}, status)


def _is_json(request: Request) -> bool:
    """JSON, or of no kind that anybody named."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return kind in {"application/json", ""}
