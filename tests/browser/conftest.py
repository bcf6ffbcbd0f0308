"""A browser, and one sandbox for every file of tests: what is done there, the next test finds done."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.sandbox.environment import SandboxEnvironment
from app.sandbox.fakes import Fakes
from app.sandbox.page.server import Page as SandboxPage
from app.sandbox.pipeline import Pipeline
from app.sandbox.replica import Replica
from app.sandbox.smoke_tests import SmokeTests
from tests.browser.chromium import MISSING, find_chromium, is_required, open_chromium
from tests.sandbox.command import OpenSandbox, open_sandbox, own_folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Closed after every file: while Playwright is open no other test's loop can run in this thread."""
    if find_chromium() is None:
        if is_required():
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with open_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def sandbox(chromium: Browser) -> Iterator[OpenSandbox]:
    with own_folder() as folder, open_sandbox(folder=folder) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, sandbox: OpenSandbox) -> Iterator[Page]:
    """The rendered page; a script error fails the test."""
    complaints: list[str] = []
    opened = chromium.new_page(viewport={"width": 1440, "height": 900})
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto(sandbox.url)
    opened.wait_for_selector('.tile[data-domain="payment"]')
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    """The stand-ins alone; AWS's clock is stopped."""
    with Fakes(tmp_path, speed=0) as running:
        yield running


@pytest.fixture
def fakes_page(chromium: Browser, fakes: Fakes, tmp_path: Path) -> Iterator[Page]:
    """The page of the stand-ins alone, without the service."""
    log = tmp_path / "log"
    replica = Replica(fakes.environment(database_url="postgresql://nowhere?sslmode=disable"), log=log)
    smoke_tests = SmokeTests(fakes.aws, service=lambda: replica.url, token="", tests={})
    pipeline = Pipeline(fakes.aws, smoke_tests=smoke_tests)
    sandbox = SandboxEnvironment(fakes=fakes, replica=replica, pipeline=pipeline, log=log)
    with SandboxPage(sandbox, port=0) as server:
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(server.url)
        expect(page.locator('.tile[data-domain="order"]')).to_be_visible()
        yield page
        page.close()
