"""What is done on the page again and again: a card found, approved, its picture taken."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Error, Locator, Page, expect

TIMEOUT_MS: Final = 60_000
TRIES: Final = 5


def card_of(page: Page, domain: str) -> Locator:
    """The domain's first card in the channel."""
    return page.locator(".log > .entry > .sl-message", has_text=f"klp-logistics-{domain}-app").first


def approve(page: Page, domain: str) -> None:
    """Approve, and yes to what Slack's client asks back."""
    card_of(page, domain).locator('[data-action-id="approve"]').click(timeout=TIMEOUT_MS)
    page.locator('#confirm button[value="yes"]').click()


def settle(page: Page) -> None:
    """Until nothing is lit up or moves any more."""
    page.mouse.move(0, 0)
    expect(page.locator(".flash, .toast")).to_have_count(0, timeout=TIMEOUT_MS)


def deploy_canary(page: Page, domain: str) -> Locator:
    """A canary of the domain, approved and on its first ten percent; gives its card."""
    page.locator(f'[data-domain="{domain}"] .deploy').click()
    page.locator('#deploy-menu [data-shift="canary"]:not([data-own])').click()
    approve(page, domain)
    card = card_of(page, domain)
    expect(card.get_by_text("10%").last).to_be_visible(timeout=TIMEOUT_MS)
    return card


def take_details(page: Page, locale: str, docs: Path) -> None:
    """Details of a canary."""
    card = deploy_canary(page, "hub")
    card.locator('[data-action-id="details"]').click()
    modal = page.locator("#modal")
    expect(modal.locator(".sl-header, h1, h2").first).to_be_visible(timeout=TIMEOUT_MS)
    take(page, modal, docs / f"details.{locale}.png")


def chip(page: Page, domain: str) -> Locator:
    return page.locator(f'[data-domain="{domain}"] .chip')


def set_speed(page: Page, speed: int) -> None:
    """CodeDeploy's clock."""
    page.locator(f'input[name="speed"][value="{speed}"]').check(force=True)


def take(page: Page, card: Locator, path: Path) -> None:
    """The card alone."""
    for left in range(TRIES, -1, -1):
        settle(page)
        try:
            card.screenshot(path=path, animations="disabled")
            return
        except Error:
            if not left:
                raise  # a card may be redrawn while its picture is taken, but not every time
