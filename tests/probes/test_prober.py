"""One probe against a listener that misbehaves, and names that stand for what they should not."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from aiohttp import web

from app.flow.checks.run_probe import ProbeOutcome, ProbeResult
from app.gate.rules.checks import Probe
from app.probes.prober import MAX_BODY_BYTES, HttpProber
from app.sandbox.server import ServerThread

HERE = frozenset({"127.0.0.1", "green.internal"})


async def ok(request: web.Request) -> web.Response:
    return web.json_response({"status": "UP", "parts": [{"up": True}, {"count": 3}], "name": request.host})


async def elsewhere(request: web.Request) -> web.Response:
    raise web.HTTPFound("http://169.254.169.254/latest/meta-data/")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(MAX_BODY_BYTES // 1024 + 8):
        await response.write(b"x" * 1024)
    return response


async def announced(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * (MAX_BODY_BYTES + 1))


async def slow(request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def no_json(request: web.Request) -> web.Response:
    return web.Response(text="<html>")


async def nested(request: web.Request) -> web.Response:
    return web.Response(text="[" * 60_000)


async def headers(request: web.Request) -> web.Response:
    return web.json_response({"cookie": request.headers.get("Cookie", "none"), "method": request.method})


@pytest.fixture(scope="module")
def listener() -> Iterator[ServerThread]:
    application = web.Application()
    for handler in (ok, elsewhere, endless, announced, slow, no_json, nested, headers):
        application.router.add_route("*", f"/{handler.__name__}", handler)
    with ServerThread(application) as server:
        yield server


def probe(url: str, **how: object) -> Probe:
    plain: dict[str, object] = {
        "name": "health",
        "url": url,
        "method": "GET",
        "expect_status": 200,
        "json_path": None,
        "json_equals": None,
        "timeout": timedelta(seconds=5),
    }
    return Probe(**(plain | how))  # type: ignore[arg-type]  # each test gives what it needs


async def sound(url: str, *, allowed: frozenset[str] = HERE) -> ProbeResult:
    return await HttpProber().probe(probe(url), allowed_hosts=allowed)


async def looked_up(url: str, addresses: Sequence[str], *, allowed: frozenset[str] = HERE) -> ProbeResult:
    """A probe for which every name resolves to `addresses`."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        return addresses

    return await HttpProber(lookup=lookup).probe(probe(url), allowed_hosts=allowed)


async def test_an_answer_as_expected_passes(listener: ServerThread) -> None:
    result = await sound(f"{listener.url}/ok")
    assert result.passed
    assert result.detail["status"] == 200


@pytest.mark.parametrize(
    ("path", "how", "answer"),
    [
        ("ok", {"expect_status": 204}, ProbeOutcome.OTHER_STATUS),
        ("nowhere", {}, ProbeOutcome.OTHER_STATUS),
        ("elsewhere", {}, ProbeOutcome.REDIRECT),
        ("elsewhere", {"expect_status": 302}, ProbeOutcome.AS_EXPECTED),
        ("endless", {}, ProbeOutcome.TOO_LARGE),
        ("announced", {}, ProbeOutcome.TOO_LARGE),
        ("slow", {"timeout": timedelta(milliseconds=200)}, ProbeOutcome.TOO_SLOW),
        ("ok", {"json_path": "status", "json_equals": "UP"}, ProbeOutcome.AS_EXPECTED),
        ("ok", {"json_path": "parts.0.up", "json_equals": True}, ProbeOutcome.AS_EXPECTED),
        ("ok", {"json_path": "parts.1.count", "json_equals": 3.0}, ProbeOutcome.AS_EXPECTED),
        ("ok", {"json_path": "parts.1.count", "json_equals": "3"}, ProbeOutcome.OTHER_VALUE),
        ("ok", {"json_path": "parts.0.up", "json_equals": 1}, ProbeOutcome.OTHER_VALUE),
        ("ok", {"json_path": "parts.9.up", "json_equals": True}, ProbeOutcome.OTHER_VALUE),
        ("ok", {"json_path": "status.of.what", "json_equals": "UP"}, ProbeOutcome.OTHER_VALUE),
        ("no_json", {"json_path": "status", "json_equals": "UP"}, ProbeOutcome.NO_JSON),
        ("nested", {"json_path": "status", "json_equals": "UP"}, ProbeOutcome.NO_JSON),
        (
            "headers",
            {"method": "POST", "json_path": "method", "json_equals": "POST"},
            ProbeOutcome.AS_EXPECTED,
        ),
        ("headers", {"json_path": "cookie", "json_equals": "none"}, ProbeOutcome.AS_EXPECTED),
    ],
)
async def test_a_probe_finds(
    listener: ServerThread, path: str, how: dict[str, object], answer: ProbeOutcome
) -> None:
    asked = probe(f"{listener.url}/{path}", **how)
    assert (await HttpProber().probe(asked, allowed_hosts=HERE)).answer is answer


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://169.254.43518/",
        "http://0.0.0.0/",
    ],
)
async def test_no_spelling_of_a_forbidden_address_is_asked(url: str) -> None:
    host = url.removeprefix("http://").rstrip("/").strip("[]")
    result = await sound(url, allowed=frozenset({host}))
    assert result.answer in {ProbeOutcome.FORBIDDEN_ADDRESS, ProbeOutcome.NO_SUCH_HOST}


async def test_a_private_address_is_asked_only_by_an_allowed_name(listener: ServerThread) -> None:
    assert (await sound(f"{listener.url}/ok", allowed=frozenset())).answer is ProbeOutcome.FORBIDDEN_ADDRESS
    named = listener.url.replace("127.0.0.1", "green.internal") + "/ok"
    assert (await looked_up(named, ["127.0.0.1"])).passed
    assert (
        await looked_up(named, ["127.0.0.1"], allowed=frozenset())
    ).answer is ProbeOutcome.FORBIDDEN_ADDRESS


async def test_one_forbidden_address_among_good_ones_is_one_too_many() -> None:
    result = await looked_up("http://green.internal/", ["93.184.216.34", "169.254.169.254"])
    assert result.answer is ProbeOutcome.FORBIDDEN_ADDRESS


async def test_the_connection_goes_to_the_address_that_was_judged(listener: ServerThread) -> None:
    """A name that resolves to something else a little later is not resolved again."""
    named = listener.url.replace("127.0.0.1", "green.internal") + "/ok"
    seen: list[str] = []

    async def changing(host: str, port: int) -> Sequence[str]:
        seen.append(host)
        return ["127.0.0.1"] if len(seen) == 1 else ["169.254.169.254"]

    result = await HttpProber(lookup=changing).probe(probe(named), allowed_hosts=HERE)
    assert result.passed
    assert seen == ["green.internal"]


async def test_a_name_that_nobody_knows_and_a_port_that_nobody_listens_on() -> None:
    assert (await looked_up("http://green.internal/", [])).answer is ProbeOutcome.NO_SUCH_HOST
    assert (await sound("http://127.0.0.1:9/")).answer is ProbeOutcome.NO_ANSWER
