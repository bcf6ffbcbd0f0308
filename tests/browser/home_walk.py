"""An afternoon in App Home: three wait for me, one is frozen, one was decided; then several at once."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from app.i18n.catalog import LocaleName, Texts
from app.sandbox.page.texts import page_texts
from tests.browser.walks import approve, chip, set_speed, settle, take

TIMEOUT_MS: Final = 60_000
WHY: Final = {"en": "coupon incident", "ko": "쿠폰 장애"}


def take_home(page: Page, locale: LocaleName, docs: Path) -> None:
    """All of Home, and the form with two boxes ticked."""
    texts = page_texts(locale)
    me = page.locator("#people input:checked").get_attribute("value")
    _deploy(page, "auth", texts)
    approve(page, "auth")
    expect(chip(page, "auth")).to_have_text(texts("status.on_green"), timeout=TIMEOUT_MS)
    _deploy(page, "hub", texts)
    _deploy(page, "promotion", texts)
    page.locator("#people label", has_text="Grace").click()
    page.locator("#say").fill(f"/deploys freeze promotion for 2h {WHY[locale]}")
    page.keyboard.press("Enter")
    expect(page.locator(".sl-message--whisper")).to_have_count(1, timeout=TIMEOUT_MS)
    page.locator(f'#people label:has(input[value="{me}"])').click()
    page.get_by_role("tab", name=texts("script.home")).click()
    home = page.locator(".log--home .sl-home")
    expect(home.locator('[data-action-id="approve"]')).to_have_count(3, timeout=TIMEOUT_MS)
    home.locator('[data-action-id="home_refresh"]').click()
    settle(page)
    take(page, home, docs / f"home.{locale}.png")
    _several(page, locale, docs)


def _several(page: Page, locale: str, docs: Path) -> None:
    page.locator('[data-action-id="approve_several"]').click()
    form = page.locator("#modal .sl-modal")
    expect(form).to_be_visible(timeout=TIMEOUT_MS)
    for box in form.locator("input[type=checkbox]").all():
        box.check()
    take(page, form, docs / f"several.{locale}.png")


def _deploy(page: Page, domain: str, texts: Texts) -> None:
    page.locator(f'[data-domain="{domain}"] .deploy').click()
    page.locator('#deploy-menu [data-shift="all-at-once"]:not([data-own])').click()
    set_speed(page, 10)
    expect(chip(page, domain)).to_have_text(texts("status.waiting"), timeout=TIMEOUT_MS)
    set_speed(page, 1)
