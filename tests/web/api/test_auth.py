"""Who may ask: the holders of a token, or, while there is none, this machine alone."""

import json

import pytest
from fastapi import HTTPException, Request

from app.config.environment_values import Scope
from app.web.api.auth import MAX_GUESSES, TokenAuth
from tests.logs import captured_logs
from tests.web.api.asking import Asker
from tests.web.api.conftest import TOKENS

QUESTIONS = ("/api/v1/audit", "/api/v1/switches", "/api/v1/gates")
FORWARDED = [{"X-Forwarded-For": "127.0.0.1"}, {"x-forwarded-for": "8.8.8.8"}, {"Forwarded": "for=127.0.0.1"}]

WRONG = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer no-such-token-0123456789"},
    {"Authorization": f"Bearer {TOKENS['grafana'][:-1]}"},
    {"Authorization": f"Bearer {TOKENS['grafana']}x"},
    {"Authorization": f"Bearer grafana:{TOKENS['grafana']}"},
    {"Authorization": f"Basic {TOKENS['grafana']}"},
    {"Authorization": TOKENS["grafana"]},
    {"Authorization": "Bearer 토큰é"},
    {"X-Api-Key": TOKENS["grafana"]},
]


async def test_every_token_opens_every_question(guarded: Asker) -> None:
    for token in TOKENS.values():
        for path in QUESTIONS:
            for scheme in ("Bearer", "bearer"):
                answer = await guarded.get(path, {"Authorization": f"{scheme} {token}"})
                assert (answer.status, answer.body["items"]) == (200, [])


async def test_without_the_right_token_nothing_is_shown(guarded: Asker) -> None:
    for headers in WRONG:
        for path in QUESTIONS:
            answer = await guarded.get(path, headers)
            assert answer.status == 401, headers
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "Authorization: Bearer" in answer.text
            assert not [token for token in TOKENS.values() if token in answer.text]


async def test_a_wrong_token_leaves_a_trace_and_is_slowed_down(guarded: Asker) -> None:
    wrong = {"Authorization": "Bearer no-such-token-0123456789"}
    with captured_logs("WARNING") as stream:
        statuses = [(await guarded.get(QUESTIONS[0], wrong)).status for _ in range(MAX_GUESSES + 2)]
        assert (await guarded.get(QUESTIONS[0])).status == 401
    assert statuses == [401] * MAX_GUESSES + [429] * 2
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    denied = [line for line in lines if line["event"] == "api_request_denied"]
    assert [(line["reason"], line["client"]) for line in denied] == [
        ("wrong_token", "127.0.0.1"),
        ("no_token", "127.0.0.1"),
    ]
    assert "no-such-token" not in str(lines)
    assert 'switchgate_api_denied_total{reason="wrong_token"}' in (await guarded.get("/metrics")).text
    right = {"Authorization": f"Bearer {TOKENS['ci']}"}
    assert (await guarded.get(QUESTIONS[0], right)).status == 200


async def test_a_caller_with_a_token_may_come_through_a_proxy(guarded: Asker) -> None:
    for headers in FORWARDED:
        token = {"Authorization": f"Bearer {TOKENS['ci']}"}
        assert (await guarded.get("/api/v1/gates", {**headers, **token})).status == 200


async def test_health_and_metrics_want_no_token(guarded: Asker) -> None:
    for path in ("/healthz", "/metrics", "/api/docs", "/api/openapi.json"):
        assert (await guarded.get(path)).status == 200


async def test_without_any_token_this_machine_may_ask(asker: Asker) -> None:
    for path in QUESTIONS:
        assert (await asker.get(path)).status == 200


async def test_without_any_token_what_a_proxy_forwards_is_refused(asker: Asker) -> None:
    for headers in FORWARDED:
        answer = await asker.get("/api/v1/audit", headers)
        assert answer.status == 403
        assert "SWITCHGATE_API_TOKENS" in answer.text


def asked_from(client: str, host: str = "127.0.0.1:8080") -> Request:
    return Request({"type": "http", "headers": [(b"host", host.encode())], "client": (client, 40_000)})


@pytest.mark.parametrize("host", ["switchgate.example", "127.0.0.1.evil.example:8080", "[", "", "10.0.0.1"])
async def test_without_any_token_a_page_from_elsewhere_does_not_reach_us_under_its_own_name(
    host: str,
) -> None:
    with pytest.raises(HTTPException) as refusal:
        TokenAuth({}).authenticate(asked_from("127.0.0.1", host), None, Scope.READ)

    assert refusal.value.status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:8080"])
async def test_without_any_token_this_machine_may_be_named_in_several_ways(host: str) -> None:
    assert TokenAuth({}).authenticate(asked_from("127.0.0.1", host), None, Scope.READ) == "loopback"


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "192.168.1.4", "8.8.8.8", "::ffff:10.0.0.1", "2001:db8::1", "x", ""]
)
async def test_without_any_token_another_machine_is_refused(host: str) -> None:
    request = asked_from(host)

    with pytest.raises(HTTPException) as refusal:
        TokenAuth({}).authenticate(request, None, Scope.READ)

    assert refusal.value.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1"])
async def test_without_any_token_loopback_has_several_names(host: str) -> None:
    request = asked_from(host)

    assert TokenAuth({}).authenticate(request, None, Scope.READ) == "loopback"
