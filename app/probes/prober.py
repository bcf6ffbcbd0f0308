"""Sends one guarded request to green: resolves the host, checks its addresses, and only then connects.

The URL is configuration, but DNS is not: a name may start to resolve to the machine's metadata address. So the
addresses are resolved here, each is checked, and the connection uses only those.
"""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from app.config.tables.probe_addresses import Address, may_probe
from app.flow.checks.run_probe import ProbeOutcome, ProbeResult
from app.gate.rules.checks import Probe
from app.probes.json_path import PathNotFound, value_at

MAX_BODY_BYTES: Final = 64 * 1024
"""Of a response; a health check is shorter."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns every address of a host."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """The system's own resolver. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]).partition("%")[0] for *_, address in found]


class HttpProber:
    """See `app.flow.checks.run_probe.Prober`."""

    def __init__(
        self, *, lookup: Resolve = system_lookup, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lookup = lookup
        self._clock = clock

    async def probe(self, probe: Probe, *, allowed_hosts: frozenset[str]) -> ProbeResult:
        """Sends one request; a failure is a `ProbeResult` too."""
        seconds = probe.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._probe_host(probe, allowed_hosts)
        except TimeoutError:
            return ProbeResult(answer=ProbeOutcome.TOO_SLOW, detail={"seconds": f"{seconds:g}"})
        except (ClientError, OSError, ValueError) as exc:
            return ProbeResult(answer=ProbeOutcome.NO_ANSWER, detail={"problem": type(exc).__name__})

    async def _probe_host(self, probe: Probe, allowed_hosts: frozenset[str]) -> ProbeResult:
        parts = urlsplit(probe.url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = [ip_address(found) for found in await self._lookup(host, port)]
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            return ProbeResult(answer=ProbeOutcome.NO_SUCH_HOST, detail={"host": host})
        allowed = host.lower() in allowed_hosts
        if not all(may_probe(address, allowed=allowed) for address in addresses):
            return ProbeResult(answer=ProbeOutcome.FORBIDDEN_ADDRESS, detail={"host": host})
        return await self._ask(probe, host=host, addresses=addresses)

    async def _ask(self, probe: Probe, *, host: str, addresses: Sequence[Address]) -> ProbeResult:
        began = self._clock()
        connector = TCPConnector(resolver=_PinnedResolver(addresses), limit=1, use_dns_cache=False)
        async with (
            ClientSession(
                connector=connector,
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=probe.timeout.total_seconds()),
                auto_decompress=False,
                trust_env=False,
                headers={"User-Agent": "switchgate-probe", "Accept-Encoding": "identity"},
            ) as session,
            session.request(probe.method, probe.url, allow_redirects=False) as response,
        ):
            return await _result_of(probe, response, took=lambda: self._clock() - began)


class _PinnedResolver(AbstractResolver):
    """Returns the checked addresses, even if the name resolves to others by now."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """In the order that the lookup gave."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """There is nothing to close."""


async def _result_of(probe: Probe, response: ClientResponse, *, took: Callable[[], float]) -> ProbeResult:
    status = response.status
    if status != probe.expect_status:
        answer = ProbeOutcome.REDIRECT if 300 <= status < 400 else ProbeOutcome.OTHER_STATUS
        return ProbeResult(answer=answer, detail={"status": status, "expected": probe.expect_status})
    body = await _body(response)
    if body is None:
        return ProbeResult(answer=ProbeOutcome.TOO_LARGE, detail={"most": MAX_BODY_BYTES // 1024})
    if probe.json_path is not None:
        mismatch = _value_mismatch(probe, probe.json_path, body)
        if mismatch is not None:
            return mismatch
    return ProbeResult(answer=ProbeOutcome.AS_EXPECTED, detail={"status": status, "ms": round(took() * 1000)})


async def _body(response: ClientResponse) -> bytes | None:
    """The body of at most `MAX_BODY_BYTES` bytes; None: it is longer."""
    if (response.content_length or 0) > MAX_BODY_BYTES:
        return None
    read = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        read += chunk
        if len(read) > MAX_BODY_BYTES:
            return None
    return bytes(read)


def _value_mismatch(probe: Probe, path: str, body: bytes) -> ProbeResult | None:
    try:
        found: Any = json.loads(body)
        value = value_at(found, path)
    except PathNotFound:
        return ProbeResult(
            answer=ProbeOutcome.OTHER_VALUE, detail={"path": path, "expected": probe.json_equals}
        )
    except (ValueError, RecursionError):
        return ProbeResult(answer=ProbeOutcome.NO_JSON, detail={"path": path})
    same = type(value) is type(probe.json_equals) and value == probe.json_equals
    if same or (_is_number(value) and _is_number(probe.json_equals) and value == probe.json_equals):
        return None
    return ProbeResult(answer=ProbeOutcome.OTHER_VALUE, detail={"path": path, "expected": probe.json_equals})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
