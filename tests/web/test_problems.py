"""Every error of the API, the hooks and Slack's endpoint is a problem as RFC 9457 has it, and as the document says."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from jsonschema import Draft202012Validator

from tests.flow.outsiders import alters
from tests.harness import Harness, running_harness
from tests.logs import captured_logs
from tests.postgres_line import line_to
from tests.web.hooks.hook_sender import HookSender, hook
from tests.web.hooks.test_state_changes import state_change

TOKEN = "a-token-of-all-scopes-0123456789"
READER = "a-token-that-reads-0123456789"
ENVIRONMENT = {"SWITCHGATE_API_TOKENS": f"ci:{TOKEN}:read+checks+freezes+switches:withdraw,grafana:{READER}"}

CHECK = "/api/v1/switches/d-1/checks/smoke"
WITHDRAW = "/api/v1/switches/d-1/withdraw"
BUILD = {"build": "klp/order@4f2a1c9", "application": "order-app", "deployment_group": "order-dg"}
FREEZE = {"until": "2099-01-01T00:00:00Z", "reason": "inventory"}
READS = [
    "/api/v1/audit",
    "/api/v1/switches",
    "/api/v1/gates",
    "/api/v1/freezes",
    "/api/v1/switches/d-1/checks",
]
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", CHECK, {"state": "passed"}),
    ("POST", "/api/v1/freezes", {**FREEZE, "until": "2026-12-01T00:00:00Z"}),
    ("POST", WITHDRAW, BUILD),
]
SIGNED: list[tuple[str, Any]] = [
    ("/hooks/codedeploy", hook("d-1")),
    ("/events/codedeploy", state_change("d-1")),
]
API = [*(("GET", path, None) for path in READS), *WRITES, ("DELETE", "/api/v1/freezes/7", None)]
WITH_BODY = ["/hooks/codedeploy", "/events/codedeploy", "/slack/events", "/api/v1/freezes", CHECK]
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass
class Client:
    """Sends requests to one harness; every answer that it gives was a problem of that status."""

    harness: Harness
    session: ClientSession
    sender: HookSender
    schema: Draft202012Validator
    document: dict[str, Any]

    async def problem(
        self, status: int, method: str, path: str, body: Any = None, *, token: str = TOKEN, **headers: str
    ) -> dict[str, Any]:
        """`body`: bytes as they are, anything else as JSON. Hooks are signed."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        signed = path in {path for path, _ in SIGNED} and token
        made = self.sender.signature(raw or b"", path=path) if signed else {}
        sent = {"Authorization": f"Bearer {token}", **JSON_TYPE, **made, **headers}
        data = BytesIO(raw) if raw is not None else None
        async with self.session.request(method, self.harness.url + path, data=data, headers=sent) as answer:
            text = await answer.text()
            assert answer.status == status, (method, path, text)
            assert answer.content_type == "application/problem+json", (method, path, text)
            self.headers: Mapping[str, str] = answer.headers
        problem: dict[str, Any] = json.loads(text)
        assert list(self.schema.iter_errors(problem)) == []
        assert problem["status"] == status
        assert problem["type"] == f"urn:switchgate:problem:{problem['error']}"
        assert problem["title"]
        assert problem["detail"]
        return problem


@asynccontextmanager
async def talking(harness: Harness) -> AsyncIterator[Client]:
    async with ClientSession() as session:
        async with session.get(f"{harness.url}/api/openapi.json") as answer:
            document = await answer.json()
        schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
        validator = Draft202012Validator(schema)
        yield Client(harness, session, HookSender(harness, session), validator, document)


@pytest.fixture
async def client(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """In HTTP mode, so that Slack's endpoint is there, too."""
    async with (
        running_harness(
            tmp_path, database_url, monkeypatch, environment=ENVIRONMENT, socket_mode=False
        ) as harness,
        talking(harness) as one,
    ):
        yield one


async def test_these_are_all_operations_and_each_documents_its_problems(client: Client) -> None:
    known = {(method, path) for method, path, _ in API} | {("POST", path) for path, _ in SIGNED}
    documented = set()
    for template, operations in client.document["paths"].items():
        path = template.replace("{deployment}", "d-1").replace("{name}", "smoke").replace("{number}", "7")
        for method, operation in operations.items():
            if path in {"/healthz", "/readyz", "/metrics"}:
                continue
            documented.add((method.upper(), path))
            errors = {code: each for code, each in operation["responses"].items() if not code.startswith("2")}
            assert {"401", "503", "default"} <= set(errors)
            for error in errors.values():
                schema = error["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
    assert documented == known
    for operation in [each for _, path, _ in API for each in _operations(client.document, path)]:
        assert operation["security"] == [{"HTTPBearer": []}]


def _operations(document: dict[str, Any], path: str) -> list[dict[str, Any]]:
    return list(document["paths"].get(path, {}).values())


@pytest.mark.parametrize("token", ["", "no-token-of-ours-0123456789"])
async def test_without_the_right_token_or_signature(client: Client, token: str) -> None:
    for method, path, body in API:
        problem = await client.problem(401, method, path, body, token=token)
        assert problem["error"] == ("wrong_token" if token else "no_token")
        assert client.headers["WWW-Authenticate"] == "Bearer"
    for path, body in SIGNED:
        unsigned = {"X-Switchgate-Signature": f"v1={token}"}
        problem = await client.problem(401, "POST", path, body, **unsigned)
        assert problem["error"] == "mismatch"
    assert (await client.problem(401, "POST", "/slack/events", b"payload={}"))["error"] == "unauthorized"


async def test_without_the_scope(client: Client) -> None:
    for method, path, body in (*WRITES, ("DELETE", "/api/v1/freezes/7", None)):
        problem = await client.problem(403, method, path, body, token=READER)
        assert problem["error"] == "wrong_scope"


@pytest.mark.parametrize("body", [b"{", b"", b"[1]", b"7", b'"text"', b"NaN", b"[" * 10_000, b'{"\xff": 1}'])
async def test_a_body_that_is_no_json_object(client: Client, body: bytes) -> None:
    for method, path, _ in WRITES:
        status = 400 if body.startswith((b"[" * 10, b'{"\xff')) else 422
        problem = await client.problem(status, method, path, body)
        assert problem["detail"]
    for path, _ in SIGNED:
        problem = await client.problem(400, "POST", path, body)
        assert (problem["error"], [each["field"] for each in problem["errors"]]) == ("malformed", ["body"])


async def test_a_field_of_another_type(client: Client) -> None:
    wrong = await client.problem(422, "PUT", CHECK, {"state": 7, "summary": [], "more": 1})
    assert [each["field"] for each in wrong["errors"]] == ["state", "summary", "more"]
    assert wrong["errors"][0]["detail"] == (
        'is none of pending, passed, failed. Write what became of it so far. For example "passed"'
    )
    assert wrong["detail"].startswith("state: is none of pending")
    freeze = await client.problem(422, "POST", "/api/v1/freezes", {**FREEZE, "domains": ["order", 1, 2]})
    assert [each["field"] for each in freeze["errors"]] == ["domains"]
    for path in READS[:3]:
        asked = await client.problem(422, "GET", f"{path}?limit=0&nobody=1")
        assert [each["field"] for each in asked["errors"]] == ["limit", "nobody"]
    number = await client.problem(422, "DELETE", "/api/v1/freezes/seven")
    assert [each["field"] for each in number["errors"]] == ["number"]
    nested = await client.problem(400, "POST", SIGNED[1][0], state_change("d 1"))
    assert [each["field"] for each in nested["errors"]] == ["detail.deploymentId"]


async def test_another_content_type(client: Client) -> None:
    plain = {"Content-Type": "text/plain"}
    for method, path, body in WRITES:
        problem = await client.problem(415, method, path, body, **plain)
        assert problem["detail"] == "Content-Type: send application/json"
    for path, body in SIGNED:
        problem = await client.problem(400, "POST", path, body, **plain)
        assert problem["errors"] == [{"field": "Content-Type", "detail": "send application/json"}]


async def test_a_body_that_is_too_large(client: Client) -> None:
    for path in WITH_BODY:
        method = "PUT" if path == CHECK else "POST"
        status = 400 if path in {path for path, _ in SIGNED} else 413
        problem = await client.problem(status, method, path, b" " * (2**20 + 1))
        assert problem["error"] == "too_large"
    for method, path, _ in WRITES:
        assert "16384 bytes" in (await client.problem(413, method, path, b" " * 20_000))["detail"]


async def test_what_is_not_there(client: Client) -> None:
    for path in ("/nowhere", "/api/v1/nowhere", "/api/v1/audit/", "/hooks/other", "/slack/other"):
        assert (await client.problem(404, "GET", path))["error"] == "not_found"
        assert (await client.problem(404, "POST", path, {}))["error"] == "not_found"
    gone = await client.problem(404, "DELETE", "/api/v1/freezes/7")
    assert (gone["error"], gone["detail"]) == ("no_such_freeze", "No such freeze stands.")


async def test_another_method(client: Client) -> None:
    for path in (*READS[:3], *WITH_BODY, "/healthz"):
        assert (await client.problem(405, "PATCH", path))["error"] == "method_not_allowed"
        assert client.headers["Allow"]


async def test_what_nobody_expects_has_a_number_that_is_in_the_log(client: Client) -> None:
    await alters(client.harness, "ALTER TABLE freezes ADD CONSTRAINT broken CHECK (false) NOT VALID")
    with captured_logs("ERROR") as log:
        problem = await client.problem(500, *WRITES[1])
    assert problem["error"] == "unknown"
    number = problem["instance"].removeprefix("urn:switchgate:error:")
    assert number in problem["detail"]
    assert number in log.getvalue()


async def test_while_the_database_is_away(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        line_to(database_url) as line,
        running_harness(tmp_path, line.url, monkeypatch, environment=ENVIRONMENT) as harness,
        talking(harness) as client,
    ):
        deployment = await harness.deploy("order")
        await line.cut()
        requests = [*API, *(("POST", path, body) for path, body in SIGNED[1:])]
        for method, path, body in [*requests, ("POST", SIGNED[0][0], hook(deployment))]:
            assert (await client.problem(503, method, path, body))["error"] == "try_again"
        await line.mend()
