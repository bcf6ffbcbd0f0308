"""One guarded request to green. Where a probe connects is looked up, judged, and only then connected to.

The URL is configuration, but DNS is not: a name may come to stand for the machine's own metadata address. So the
addresses are resolved here, every one of them is judged, and the connection goes to those and no others.
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

from app.config.probe_addresses import Address, may_probe
from app.flow.checks.run_probe import ProbeOutcome, ProbeResult
from app.gate.rules.checks import Probe
from app.probes.json_path import Nothing, value_at

LARGEST: Final = 64 * 1024
"""Bytes of an answer; a health check says less."""

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives every address of a host."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """The system's own resolver. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]).partition("%")[0] for *_, address in found]


class HttpProber:
    """See `app.flow.checks.run_probe.Prober`."""

    def __init__(
        self, *, lookup: Lookup = system_lookup, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lookup = lookup
        self._clock = clock

    async def probe(self, probe: Probe, *, allowed_hosts: frozenset[str]) -> ProbeResult:
        """Asks once; whatever goes wrong is a `ProbeResult` too."""
        seconds = probe.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._sound(probe, allowed_hosts)
        except TimeoutError:
            return ProbeResult(answer=ProbeOutcome.TOO_SLOW, detail={"seconds": f"{seconds:g}"})
        except (ClientError, OSError, ValueError) as trouble:
            return ProbeResult(answer=ProbeOutcome.NO_ANSWER, detail={"problem": type(trouble).__name__})

    async def _sound(self, probe: Probe, allowed_hosts: frozenset[str]) -> ProbeResult:
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
        connector = TCPConnector(resolver=_Only(addresses), limit=1, use_dns_cache=False)
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
            return await _judged(probe, response, took=lambda: self._clock() - began)


class _Only(AbstractResolver):
    """Gives the addresses that were judged, whatever the name has come to stand for since."""

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
        """Nothing is held."""


async def _judged(probe: Probe, response: ClientResponse, *, took: Callable[[], float]) -> ProbeResult:
    status = response.status
    if status != probe.expect_status:
        answer = ProbeOutcome.REDIRECT if 300 <= status < 400 else ProbeOutcome.OTHER_STATUS
        return ProbeResult(answer=answer, detail={"status": status, "expected": probe.expect_status})
    body = await _body(response)
    if body is None:
        return ProbeResult(answer=ProbeOutcome.TOO_LARGE, detail={"most": LARGEST // 1024})
    if probe.json_path is not None:
        wrong = _wrong_value(probe, probe.json_path, body)
        if wrong is not None:
            return wrong
    return ProbeResult(answer=ProbeOutcome.AS_EXPECTED, detail={"status": status, "ms": round(took() * 1000)})


async def _body(response: ClientResponse) -> bytes | None:
    """At most `LARGEST` bytes; None: there are more."""
    if (response.content_length or 0) > LARGEST:
        return None
    read = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        read += chunk
        if len(read) > LARGEST:
            return None
    return bytes(read)


def _wrong_value(probe: Probe, path: str, body: bytes) -> ProbeResult | None:
    try:
        found: Any = json.loads(body)
        value = value_at(found, path)
    except Nothing:
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
