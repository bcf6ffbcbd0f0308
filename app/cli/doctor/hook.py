"""Doctor: whether the service takes what the hook function signs.

A signed POST to the hooks' own path with an empty object. A service that refuses the signature answers 401; one that
takes it answers 400, because the object names no deployment. Neither makes a gate.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from app.cli.doctor.clocks import Clock
from app.cli.doctor.findings import Finding, failure, ok, unknown
from app.hook_lambda.handler import ERROR_CODE_PATTERN
from app.web.hooks.dependencies import HOOKS_PATH, TEST
from app.web.hooks.signature import sign

ASK_SECONDS: Final = 5
REMEDY: Final = (
    "Start the service again with the present SWITCHGATE_HOOK_SECRETS, or run this with those of the service."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A base URL of the service, and what a finding calls it."""

    url: str
    name: str


async def look_at_hook(places: Sequence[Place], keys: Mapping[str, str], *, clock: Clock) -> list[Finding]:
    """A finding for each key, by the first of the places that answers."""
    async with ClientSession(timeout=ClientTimeout(total=ASK_SECONDS)) as session:
        problems = []
        for place in places:
            try:
                return [await _ask(session, place, kid, secret, clock) for kid, secret in keys.items()]
            except (ClientError, TimeoutError, OSError, ValueError) as exc:
                problems.append(f"{place.name}: {type(exc).__name__}")
    said = f"the service does not answer from here ({'; '.join(problems) or 'no address is known'})"
    return [unknown("hook signature", said, "Run this where the service runs, while it runs.")]


async def _ask(session: ClientSession, place: Place, kid: str, secret: str, clock: Clock) -> Finding:
    what = f"hook signature {kid}"
    url = place.url + HOOKS_PATH
    timestamp = int(clock().timestamp())
    # The path is signed as the request line has it: a base URL may have a path of its own.
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    signed = sign(kid=kid, secret=secret, timestamp=timestamp, method="POST", path=path, body=TEST)
    headers = {**signed, "Content-Type": "application/json"}
    async with session.post(url, data=TEST, headers=headers, allow_redirects=False) as answer:
        status, code = answer.status, _code(await answer.read())
    if (status, code) == (400, "malformed"):
        return ok(what, f"{place.name} takes it")
    if status == 401:
        return failure(what, f"{place.name} refuses it ({code})", REMEDY)
    remedy = "Look at what answers there: a load balancer, another service, or a replica that is not ready."
    return failure(what, f"{place.name} answers {status}, not as Switchgate does", remedy)


def _code(body: bytes) -> str:
    """The problem's code, if Switchgate says one; nothing else of the answer is used."""
    try:
        code = json.loads(body).get("error")
    except (ValueError, AttributeError):
        return ""
    return code if isinstance(code, str) and ERROR_CODE_PATTERN.fullmatch(code) else ""
