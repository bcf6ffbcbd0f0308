"""What the interactive sandbox lets people try beside Approve and Reject, on the page as they would."""

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

TIMEOUT_MS = 30_000


def tile(page: Page, domain: str) -> Locator:
    return page.locator(f'.tile[data-domain="{domain}"]')


def card(page: Page, domain: str) -> Locator:
    """Its first card in the channel."""
    cards = page.locator('.log[data-place="C01DEPLOY"] > .entry > .sl-message:not(.sl-message--whisper)')
    return cards.filter(has=page.locator(f'a[href*="{deployment(page, domain)}"]')).first


def deployment(page: Page, domain: str) -> str:
    return tile(page, domain).locator(".chip").get_attribute("data-deployment") or "none"


def deploy(page: Page, domain: str, shift: str) -> None:
    tile(page, domain).locator(".deploy").click()
    page.locator(f'#deploy-menu [data-shift="{shift}"]:not([data-own])').click()
    has_state(page, domain, "waiting")


def press(page: Page, domain: str, action: str) -> None:
    card(page, domain).locator(f'[data-action-id="{action}"]').click(timeout=TIMEOUT_MS)
    page.locator('#confirm button[value="yes"]').click()


def has_state(page: Page, domain: str, state: str) -> None:
    expect(tile(page, domain)).to_have_attribute("data-state", state, timeout=TIMEOUT_MS)


def test_green_is_unhealthy_and_then_blue_is_terminated_early(page: Page) -> None:
    health = tile(page, "order").locator(".health")
    health.click()
    expect(health).to_have_text("Pass health checks", timeout=TIMEOUT_MS)
    expect(card(page, "order")).to_contain_text("unhealthy", timeout=TIMEOUT_MS)

    health.click()
    expect(card(page, "order")).not_to_contain_text("unhealthy", timeout=TIMEOUT_MS)
    press(page, "order", "approve")
    has_state(page, "order", "on-green")
    expect(tile(page, "order").locator(".until")).to_contain_text("blue terminates in")

    press(page, "order", "finish")

    expect(tile(page, "order").locator(".until")).to_be_empty(timeout=TIMEOUT_MS)
    has_state(page, "order", "on-green")


def test_one_at_a_time_of_auth_and_user(page: Page) -> None:
    expect(tile(page, "auth")).to_contain_text("One at a time with user")
    deploy(page, "auth", "canary")
    deploy(page, "user", "all-at-once")
    press(page, "auth", "approve")
    expect(tile(page, "auth").locator(".share-green b")).to_have_text("10%", timeout=TIMEOUT_MS)

    expect(card(page, "user")).to_contain_text("auth", timeout=TIMEOUT_MS)
    has_state(page, "user", "waiting")
