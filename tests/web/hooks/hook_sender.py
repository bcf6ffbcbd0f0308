"""Sends hooks, signed as the Lambda does, or with mistakes."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self

from aiohttp import ClientSession

from app.sandbox.fakes import HOOK_SECRET, KID
from app.web.hooks.signature import sign
from tests.harness import Harness

PATH = "/hooks/codedeploy"
EXECUTION = "execution-id-that-nobody-may-read"


@dataclass(frozen=True)
class Answered:
    """The answer. `body` is empty if it is not JSON."""

    status: int
    body: dict[str, Any]
    text: str

    @classmethod
    def of(cls, status: int, text: str) -> Self:
        try:
            body = json.loads(text)
        except ValueError:
            body = {}
        return cls(status, body if isinstance(body, dict) else {}, text)


class HookSender:
    """Sends hooks to one harness, by its clock unless a call says otherwise."""

    def __init__(self, harness: Harness, session: ClientSession) -> None:
        self._harness = harness
        self._session = session

    async def send_hook(
        self,
        message: object,
        *,
        kid: str = KID,
        secret: str = HOOK_SECRET,
        age: float = 0,
        path: str = PATH,
        signed: bytes | None = None,
        signed_path: str = PATH,
        **headers: str,
    ) -> Answered:
        """Sends `message` (bytes as they are, anything else as JSON), signed `age` seconds ago.

        `signed` and `signed_path` are what the signature is made for, if not for what is sent.
        """
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        made = self.signature(
            body if signed is None else signed, kid=kid, secret=secret, age=age, path=signed_path
        )
        sent = {"Content-Type": "application/json", **made, **_dashed(headers)}
        return await self.send(path, body, {name: value for name, value in sent.items() if value})

    async def send(
        self, path: str, body: Any, headers: Mapping[str, str], *, method: str = "POST"
    ) -> Answered:
        """Sends what it is given, unsigned."""
        data = BytesIO(body) if isinstance(body, bytes) else body
        async with self._session.request(
            method, self._harness.url + path, data=data, headers=headers, allow_redirects=False
        ) as response:
            return Answered.of(response.status, await response.text())

    async def raw(self, request: bytes) -> Answered:
        """Writes these very bytes, and reads until the other side closes."""
        host, port = self._harness.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        await writer.drain()
        head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return Answered.of(int(head.split(b" ")[1]), rest.decode())

    async def counted(self, outcome: str) -> float:
        """The number of hooks with this outcome, in /metrics."""
        async with self._session.get(f"{self._harness.url}/metrics") as response:
            lines = (await response.text()).splitlines()
        wanted = f'switchgate_hooks_total{{outcome="{outcome}"}} '
        return next((float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted)), 0.0)

    def signature(
        self, body: bytes, *, kid: str = KID, secret: str = HOOK_SECRET, age: float = 0, path: str = PATH
    ) -> dict[str, str]:
        """The three headers."""
        moment = int(self._harness.clock().timestamp() - age)
        return sign(kid=kid, secret=secret, timestamp=moment, method="POST", path=path, body=body)


def hook(deployment: str, execution: str = EXECUTION, **more: object) -> dict[str, object]:
    """CodeDeploy's event."""
    return {"DeploymentId": deployment, "LifecycleEventHookExecutionId": execution, **more}


async def deploy_without_hook(harness: Harness, domain: str = "order") -> str:
    """Starts a deployment whose own hook is lost, so that the test sends it."""
    harness.aws.faults.lose_hooks()
    return await harness.deploy(domain)


def opened(harness: Harness, deployment: str) -> list[dict[str, Any]]:
    """The deployment's gates."""
    return harness.rows(
        "SELECT g.*, s.verified_at FROM gates g JOIN switches s ON s.id = g.switch_id WHERE s.deployment_id = %s",
        deployment,
    )


def left_behind(harness: Harness) -> dict[str, int]:
    """How many rows each table holds."""
    tables = ("switches", "gates", "cards", "votes", "reports", "audit_events")
    return {table: harness.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in tables}


@asynccontextmanager
async def hook_sender(harness: Harness) -> AsyncIterator[HookSender]:
    async with ClientSession() as session:
        yield HookSender(harness, session)


def _dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
