"""Takes the pictures of forms, Home and the page from the real page: `python -m tests.browser.screenshots`.

Run it when they look different, and look at what it made before you commit it. `details`, `rules`, `home` or `page`
after it takes only these. Cards: `make pictures`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, expect

from app.i18n.catalog import LOCALES, LocaleName
from tests.browser.chromium import open_chromium
from tests.browser.home_walk import take_home
from tests.browser.rules_walk import take_rules
from tests.browser.walks import approve, card_of, chip, settle, take_details
from tests.sandbox.command import open_sandbox, own_folder

DOCS: Final = Path(__file__).parents[2] / "docs"
TIMEOUT_MS: Final = 30_000
HIDDEN: Final = ".tabs { border-color: transparent !important } .newer { visibility: hidden }"


def take_screenshots(wanted: set[str]) -> None:
    with open_chromium() as browser:
        for locale in LOCALES:
            if "details" in wanted:
                _in_sandbox(browser, locale, take_details)
            if "rules" in wanted:
                _in_sandbox(browser, locale, take_rules)
            if "home" in wanted:
                _in_sandbox(browser, locale, take_home)
        if "page" in wanted:
            with own_folder() as folder, open_sandbox(folder=folder) as sandbox:
                page = _open(browser, sandbox.url, sharpness=1.5)
                _take_page(page)


def _in_sandbox(browser: Browser, locale: LocaleName, take: Callable[[Page, LocaleName, Path], None]) -> None:
    with own_folder() as folder, open_sandbox("--locale", locale, folder=folder) as sandbox:
        page = _open(browser, sandbox.url)
        page.set_viewport_size({"width": 1440, "height": 2400})  # nothing of the page may lie over a card
        take(page, locale, DOCS)
        page.close()


def _take_page(page: Page) -> None:
    """An afternoon: one has switched, one is on its way, two wait, and the card that asks about `order`."""
    for domain, shift in (("auth", "all-at-once"), ("hub", "canary")):
        page.locator(f'[data-domain="{domain}"] .deploy').click()
        page.locator(f'#deploy-menu [data-shift="{shift}"]:not([data-own])').click()
        approve(page, domain)
    expect(chip(page, "auth")).to_have_text("On green", timeout=TIMEOUT_MS)
    expect(page.locator('[data-domain="hub"] .share-green b')).to_have_text("10%", timeout=TIMEOUT_MS)
    expect(card_of(page, "payment")).to_contain_text("checks 1/1", timeout=TIMEOUT_MS)
    expect(card_of(page, "hub")).to_contain_text("10%", timeout=TIMEOUT_MS)
    page.reload()
    page.add_style_tag(content=HIDDEN)
    expect(chip(page, "order")).to_be_visible()
    chip(page, "order").click()
    settle(page)
    page.screenshot(path=DOCS / "sandbox.png")


def _open(browser: Browser, url: str, *, sharpness: float = 2) -> Page:
    """`sharpness`: pixels of the picture per pixel of the page."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, device_scale_factor=sharpness, bypass_csp=True
    )
    page = context.new_page()
    page.goto(url)
    page.add_style_tag(content=HIDDEN)
    expect(card_of(page, "order").locator('[data-action-id="approve"]')).to_be_visible(timeout=TIMEOUT_MS)
    return page


if __name__ == "__main__":
    take_screenshots(set(sys.argv[1:]) or {"details", "rules", "home", "page"})
