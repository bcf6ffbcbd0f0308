"""axe-core finds no violation on the page: in both languages, light and dark, in every state that people see."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.sandbox.command import OpenSandbox, open_sandbox, own_folder

pytestmark = pytest.mark.browser

TIMEOUT_MS = 30_000
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 400, "height": 900}


@pytest.fixture(scope="module", params=["en", "ko"])
def sandbox(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[OpenSandbox]:
    with own_folder() as folder, open_sandbox("--locale", request.param, folder=folder) as running:
        yield running


@pytest.fixture
def still(page: Page) -> Page:
    """The page without animations: a colour halfway between two others is nobody's choice."""
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size(WIDE)
    expect(in_channel(page, '[data-action-id="approve"]').first).to_be_visible(timeout=TIMEOUT_MS)
    return page


def assert_accessible(page: Page, what: str, size: ViewportSize = WIDE) -> None:
    page.set_viewport_size(size)
    axe = Axe()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = axe.run(page)
        assert found.violations_count == 0, f"{what}, {scheme}:\n{found.generate_report()}"
    page.set_viewport_size(WIDE)


def in_channel(page: Page, selector: str) -> Locator:
    """Home shows the same buttons."""
    return page.locator(f'.log[data-place="C01DEPLOY"] {selector}')


def has_state(page: Page, domain: str, state: str) -> None:
    tile = page.locator(f'.tile[data-domain="{domain}"]')
    expect(tile).to_have_attribute("data-state", state, timeout=TIMEOUT_MS)


def test_the_frame_speaks_the_language_of_the_cards(still: Page) -> None:
    language = still.locator("html").get_attribute("lang")
    waiting, approve = {"en": ("Waiting for approval", "Approve"), "ko": ("승인 대기", "승인")}[
        language or ""
    ]

    expect(still.locator('.tile[data-domain="order"] .chip')).to_have_text(waiting)
    expect(
        still.locator(".lead b").last if language == "ko" else still.locator(".lead b").first
    ).to_have_text(approve)
    expect(in_channel(still, '[data-action-id="approve"]').first).to_have_text(approve)


def test_the_frame_and_the_waiting_cards(still: Page) -> None:
    assert_accessible(still, "two cards wait")
    assert_accessible(still, "two cards wait, narrow", NARROW)
    still.locator('.tile[data-domain="hub"] .deploy').click()
    assert_accessible(still, "the menu of Deploy")
    still.keyboard.press("Escape")
    still.locator("#troubles-button").click()
    still.locator("#troubles .switch").first.click()
    expect(still.locator("#troubles-count")).to_be_visible()
    assert_accessible(still, "the menu of failures, one of them on")
    still.locator("#calm").click()
    still.keyboard.press("Escape")
    for place in ("home", "D02OLU"):
        tab = still.locator(f'.tab[data-place="{place}"]')
        if tab.count():
            tab.click()
            assert_accessible(still, f"the tab {place}")


def test_what_an_app_asks_and_says(still: Page) -> None:
    still.locator("#say").fill("/deploys help")
    still.keyboard.press("Enter")
    expect(in_channel(still, ".sl-message--whisper")).to_have_count(1, timeout=TIMEOUT_MS)
    assert_accessible(still, "a message for one person")
    in_channel(still, '[data-action-id="approve"]').first.click()
    assert_accessible(still, "what Slack's client asks back")
    still.keyboard.press("Escape")
    in_channel(still, '[data-action-id="reject"]').first.click()
    form = still.locator("#modal .sl-modal")
    expect(form.locator("textarea")).to_be_visible(timeout=TIMEOUT_MS)
    form.locator('[data-modal="submit"]').click()
    expect(form.locator(".sl-error")).to_be_visible(timeout=TIMEOUT_MS)
    assert_accessible(still, "a form with an error")
    still.keyboard.press("Escape")
    expect(form).to_be_hidden(timeout=TIMEOUT_MS)


def test_what_follows_an_approval_and_a_failure(still: Page) -> None:
    still.locator('.tile[data-domain="payment"] .alarm').click()
    still.locator('.tile[data-domain="order"] .health').click()
    still.locator('.tile[data-domain="order"] .health').click()
    in_channel(still, '[data-action-id="approve"]').last.click(timeout=TIMEOUT_MS)
    still.locator('#confirm button[value="yes"]').click()
    has_state(still, "order", "on-green")
    has_state(still, "payment", "rolled-back")
    in_channel(still, ".thread-button").first.click()
    still.locator("#kill").evaluate("(button) => button.click()")
    expect(still.locator("#service")).to_have_attribute("data-state", "down", timeout=TIMEOUT_MS)
    assert_accessible(still, "one on green, one rolled back, the service down")
