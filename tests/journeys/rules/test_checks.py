"""Checks: CI reports them, the card shows them, the rules require them; and our own probes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from app.sandbox.people import GRACE, JUN, MINA, OLU, config_text
from app.sandbox.server import ServerThread
from tests.flow import outsiders
from tests.harness import Harness, running_harness

CI = "a-token-of-the-pipeline"
READER = "a-token-of-a-dashboard"
TOKENS = {"SWITCHGATE_API_TOKENS": f"ci:{CI}:checks,grafana:{READER}"}

Build = Callable[..., AbstractAsyncContextManager[Harness]]


@pytest.fixture
def build(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A harness whose order domain has lines of its own; `head` comes before the domains."""

    def built(order: str, head: str = "") -> AbstractAsyncContextManager[Harness]:
        config = config_text(order=order).replace("[people]", f"{head}\n[people]", 1)
        return running_harness(tmp_path, database_url, monkeypatch, config=config, environment=TOKENS)

    return built


async def tell(
    harness: Harness, deployment: str, name: str, state: str, *, token: str = CI, **more: Any
) -> tuple[int, Any]:
    """What a pipeline does; gives the status and the answer."""
    body = {"state": state, **{key: value for key, value in more.items() if key != "params"}}
    url = f"{harness.url}/api/v1/switches/{deployment}/checks/{name}"
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        ClientSession(headers=headers) as session,
        session.put(url, json=body, params=more.get("params")) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_required_check_holds_approve_back_until_it_has_passed(build: Build) -> None:
    async with build('required_checks = ["order-create smoke"]\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: "“order-create smoke” hasn't reported yet" in harness.ephemerals(OLU.id))
        assert harness.rows("SELECT * FROM votes") == []

        assert (await tell(harness, deployment, "order-create smoke", "pending"))[0] == 201
        await harness.until(lambda: "“order-create smoke” is still running" in harness.card_text(deployment))
        failed = await tell(harness, deployment, "order-create smoke", "failed", summary="500 <!channel>")
        assert failed[0] == 200
        await harness.until(
            lambda: "“order-create smoke” failed*: 500 &lt;!channel&gt;" in harness.card_text(deployment)
        )
        await harness.approve(MINA.id, deployment)
        await harness.until(
            lambda: "“order-create smoke” 검사가 실패했습니다." in harness.ephemerals(MINA.id)
        )
        assert harness.gate(deployment)["phase"] == "awaiting"

        await tell(
            harness,
            deployment,
            "order-create smoke",
            "passed",
            summary="12 orders",
            url="https://ci.example/1",
        )
        await harness.until(lambda: "checks 1/1" in harness.card_text(deployment))
        await harness.until(lambda: ": blocked" not in harness.card_text(deployment))
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        assert harness.audit(deployment).count("check_reported") == 3


async def test_a_check_that_comes_before_its_hook_is_kept(build: Build) -> None:
    async with build('required_checks = ["smoke"]\n') as harness:
        deployment = harness.aws.deploy("order")
        status, answer = await tell(harness, deployment, "smoke", "passed")
        assert status == 201
        await harness.until(lambda: "checks 1/1" in harness.card_text(deployment))
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_domain_may_approve_itself_once_its_checks_pass(build: Build) -> None:
    async with build('required_checks = ["smoke", "load"]\napprove_when_checks_pass = true\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await tell(harness, deployment, "smoke", "passed")
        await tell(harness, deployment, "load", "failed")
        await harness.until(lambda: "“load” failed*" in harness.card_text(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        await tell(harness, deployment, "load", "passed")
        assert await harness.reported(deployment) == ["Succeeded"]
        gate = harness.gate(deployment)
        assert (gate["basis"], gate["decided_by"]) == ("checks", None)
        await harness.until(lambda: "approved automatically" in harness.card_text(deployment))


async def test_a_domain_does_not_approve_itself_by_stale_evidence(build: Build) -> None:
    """With many waiting gates the evidence reads are far apart: live traffic is read when the checks have passed."""
    async with build('required_checks = ["smoke"]\napprove_when_checks_pass = true\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.until(lambda: "Healthy:" in harness.card_text(deployment))
        await outsiders.alters(harness, "UPDATE evidence SET due_at = due_at + interval '50 minutes'")
        harness.clock.advance(minutes=5)
        harness.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
        await tell(harness, deployment, "smoke", "passed")
        await harness.until(lambda: "Green has no healthy target" in harness.card_text(deployment))
        assert harness.gate(deployment)["phase"] == "awaiting"
        harness.aws.set_health("order", "green", "healthy")
        harness.clock.advance(seconds=20)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_break_glass_overrides_a_failed_check(build: Build) -> None:
    async with build('required_checks = ["smoke"]\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await tell(harness, deployment, "smoke", "failed")
        await harness.until(lambda: "smoke” failed*" in harness.card_text(deployment))
        await harness.press(GRACE.id, deployment, "break_glass")
        await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
        form = harness.slack.views.top(GRACE.id)
        assert form is not None
        assert "Check “smoke” failed." in str(form.body)
        await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "the smoke test is broken"})
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: "Check “smoke” had failed." in harness.card_text(deployment))


async def test_who_may_report_a_check_and_how(build: Build) -> None:
    async with build("") as harness:
        deployment, _ = await harness.open_gate("order")
        assert (await tell(harness, deployment, "smoke", "passed", token="nobody's-token-at-all"))[0] == 401
        status, answer = await tell(harness, deployment, "smoke", "passed", token=READER)
        assert (status, answer["detail"]) == (403, "This token has not the scope `checks`.")
        for name, state, more, said in (
            ("x" * 300, "passed", {}, "name: 300 characters"),
            ("a%2Fb", "passed", {}, "name: odd characters"),
            ("%20smoke", "passed", {}, "name: odd characters"),
            ("smoke", "green", {}, "state: is none of pending, passed, failed. Write what"),
            ("smoke", "passed", {"summary": "x" * 501}, "summary: is longer than 500 characters."),
            ("smoke", "passed", {"summary": 5, "url": 5}, "summary: is no text. Write what was found"),
            ("smoke", "passed", {"summary": 5, "url": 5}, "url: is no text. Write where"),
            ("smoke", "passed", {"url": "http://ci.example"}, "url: is no https address. Write where"),
            ("smoke", "passed", {"url": "https://me:secret@ci.example"}, "url: names a user. Write where"),
            (
                "smoke",
                "passed",
                {"urls": "https://ci.example"},
                "urls: no such field here. Known: state, summary, url",
            ),
        ):
            status, answer = await tell(harness, deployment, name, state, **more)
            assert (status, said in answer["detail"]) == (422, True), answer
        assert harness.rows("SELECT * FROM checks") == []


async def test_a_body_that_is_no_json_is_distinguished_from_one_that_is_no_object(build: Build) -> None:
    async with build("") as harness:
        deployment, _ = await harness.open_gate("order")
        url = f"{harness.url}/api/v1/switches/{deployment}/checks/smoke"
        headers = {"Authorization": f"Bearer {CI}", "Content-Type": "application/json"}
        async with ClientSession(headers=headers) as session:
            for body, said in (
                (b"", "body: does not parse as JSON: it is empty. Known: state, summary, url"),
                (
                    b'{"state": "passed"',
                    "body: does not parse as JSON: Expecting ',' delimiter at character 19.",
                ),
                (b'{"state": "passed"} x', "body: does not parse as JSON: Extra data at character 21."),
                (b"state=passed", "body: does not parse as JSON: Expecting value at character 1."),
                (b'"passed"', "body: is no JSON object of these fields. Known: state, summary, url"),
            ):
                async with session.put(url, data=body) as answer:
                    problem = await answer.json()
                    assert (answer.status, said in problem["detail"]) == (422, True), problem
        assert harness.rows("SELECT * FROM checks") == []


async def test_a_switch_has_a_hundred_checks_and_no_more(build: Build) -> None:
    async with build("") as harness:
        deployment, _ = await harness.open_gate("order")
        for start in range(0, 100, 5):
            answers = await asyncio.gather(
                *(tell(harness, deployment, f"check {n}", "passed") for n in range(start, start + 5))
            )
            assert {status for status, _ in answers} == {201}
        statuses = await asyncio.gather(
            *(tell(harness, deployment, f"another {n}", "passed") for n in range(10))
        )
        assert {status for status, _ in statuses} == {409}
        assert (await tell(harness, deployment, "check 7", "failed"))[0] == 200
        await harness.until(lambda: "check 7” failed*" in harness.card_text(deployment))
        assert "checks 99/100" in harness.card_text(deployment)
        assert harness.rows("SELECT count(*) FROM checks") == [{"count": 100}]


async def test_the_same_check_reported_twice_is_one_event(build: Build) -> None:
    async with build("") as harness:
        deployment, _ = await harness.open_gate("order")
        first = await tell(harness, deployment, "smoke", "passed", summary="ok")
        again = await tell(harness, deployment, "smoke", "passed", summary="ok")
        assert (first[0], again[0]) == (201, 200)
        assert first[1]["at"] == again[1]["at"]
        assert harness.audit(deployment).count("check_reported") == 1


class Green:
    """A test listener whose answer the test sets."""

    def __init__(self) -> None:
        self.status = 503
        self.body = '{"status": "DOWN"}'
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, text=self.body, content_type="application/json")


@asynccontextmanager
async def green() -> AsyncIterator[tuple[Green, str]]:
    listener = Green()
    application = web.Application()
    application.router.add_get("/health", listener.answer)
    with ServerThread(application) as server:
        yield listener, f"{server.url}/health"


async def test_a_probe_asks_green_when_it_is_up_and_again_on_request(build: Build) -> None:
    async with green() as (listener, url):
        order = (
            'required_checks = ["order health"]\n[[domains.order.probe]]\nname = "order health"\n'
            f'url = "{url}"\nexpect_json = {{ path = "status", equals = "UP" }}\n'
        )
        async with build(order, '[probes]\nallowed_hosts = ["127.0.0.1"]\n') as harness:
            deployment, _ = await harness.open_gate("order")
            await harness.until(lambda: "Returned 503, expected 200." in harness.card_text(deployment))
            status, answer = await tell(harness, deployment, "order health", "passed")
            assert (status, "a probe of Switchgate's own" in answer["detail"]) == (409, True)

            listener.status, listener.body = 200, '{"status": "UP"}'
            await harness.press(JUN.id, deployment, "run_checks")
            await harness.until(lambda: "방금 끝났습니다" in harness.ephemerals(JUN.id))
            harness.clock.advance(seconds=6)
            await harness.press(JUN.id, deployment, "run_checks")
            await harness.until(lambda: "checks 1/1" in harness.card_text(deployment))
            assert listener.asked == 2
            await harness.approve(OLU.id, deployment)
            assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_probe_never_asks_a_private_address_that_nobody_allowed(build: Build) -> None:
    async with green() as (listener, url):
        order = f'[[domains.order.probe]]\nname = "order health"\nurl = "{url}"\n'
        async with build(order) as harness:
            deployment, _ = await harness.open_gate("order")
            await harness.until(
                lambda: "an address that probes are not allowed to call" in harness.card_text(deployment)
            )
            assert listener.asked == 0
