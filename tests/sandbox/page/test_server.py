"""The page itself: what it is made of, what it refuses, and how it stays up to date."""

import asyncio
import re
from urllib.parse import urlparse

import pytest

from app.sandbox.people import CHANNEL, OLU
from tests.sandbox.page.conftest import Browser, Json, events


async def test_the_page_and_all_it_names_are_there(browser: Browser) -> None:
    page = await (await browser.get("/")).text()

    named = re.findall(r'(?:href|src)="(/[^"]+)"', page)
    assert {"/slack.css", "/static/page.css", "/static/main.js"} <= set(named)
    for path in named:
        assert (await browser.get(path)).status == 200, path


async def test_the_page_needs_nothing_from_elsewhere(browser: Browser) -> None:
    response = await browser.get("/")
    page = await response.text()

    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert not [url for url in re.findall(r'(?:href|src)="([^"]+)"', page) if urlparse(url).netloc]
    assert "style=" not in page
    assert "<script>" not in page


async def test_every_module_that_a_script_imports_is_there(browser: Browser) -> None:
    seen, ahead = set(), {"main.js"}
    while ahead:
        name = ahead.pop()
        seen.add(name)
        response = await browser.get(f"/static/{name}")
        assert response.status == 200, name
        ahead |= set(re.findall(r'"\./([\w.]+)"', await response.text())) - seen
    assert {"live.js", "slack.js", "domains.js", "modal.js"} <= seen


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("dance", "{}", 404),
        ("press", "not json", 400),
        ("press", '{"who": "U02OLU"}', 400),
        ("stop", '{"who": "U02OLU", "domain": "order", "more": 1}', 400),
        ("stop", '{"who": "U02OLU", "domain": "nowhere"}', 404),
        ("press", '{"who": "U02OLU", "channel": "C01DEPLOY", "ts": "1.2", "action_id": "approve"}', 404),
    ],
)
async def test_an_invalid_action_is_refused(browser: Browser, action: str, body: str, status: int) -> None:
    url, headers = f"{browser.page.url}/do/{action}", {"Content-Type": "application/json"}
    async with browser.session.post(url, data=body, headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["trouble"]


async def test_another_sites_form_can_do_nothing(browser: Browser) -> None:
    url, form = f"{browser.page.url}/do/deploy", {"Content-Type": "text/plain"}
    async with browser.session.post(url, data='{"who": "U02OLU", "domain": "order"}', headers=form) as answer:
        assert answer.status == 415
    assert browser.harness.aws.deployments() == []


async def test_an_answer_tells_the_controls_and_updates_tell_after_how_many_actions(browser: Browser) -> None:
    async def choose(speed: int) -> Json:
        body = {"who": OLU.id, "speed": speed}
        async with browser.session.post(f"{browser.page.url}/do/clock", json=body) as answer:
            result: Json = await answer.json()
            return result

    first, second = await choose(60), await choose(10)
    assert (first["put"]["speed"], second["put"]["speed"]) == (60, 10)
    assert first["acts"] < second["acts"]

    async with browser.session.get(f"{browser.page.url}/state", params={"who": OLU.id}) as answer:
        state = await answer.json()
    assert (state["acts"], state["put"]["speed"]) == (second["acts"], 10)
    browser.harness.aws.speed = 0.0


async def test_changes_come_by_themselves(browser: Browser) -> None:
    async with asyncio.timeout(20):
        response = await browser.session.get(f"{browser.page.url}/live?who={OLU.id}")
        stream = events(response)
        name, data = await anext(stream)
        assert (name, "domain:order" in data["put"], data["gone"]) == ("all", True, [])

        await browser.do("say", OLU.id, channel=CHANNEL.id, text="hello")
        name, data = await anext(stream)
        said = [key for key in data["put"] if key.startswith("message:")]
        assert (name, len(said), "domain:order" in data["put"]) == ("change", 1, False)

        message = browser.harness.slack.messages.in_channel(CHANNEL.id)[0]
        browser.harness.slack.messages.delete(message.channel, message.ts)
        _, data = await anext(stream)
        assert data["gone"] == said
        response.close()
