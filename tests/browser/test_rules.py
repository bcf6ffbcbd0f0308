"""`payment` needs two approvals and a passed check; a freeze blocks it; an admin uses break-glass."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.walks import chip, set_speed

pytestmark = pytest.mark.browser

TIMEOUT_MS = 30_000


def latest_card(page: Page) -> Locator:
    return page.locator(
        '.log[data-place="C01DEPLOY"] > .entry > .sl-message', has_text="klp-logistics-payment-app"
    ).last


def green(page: Page) -> Locator:
    return page.locator('.tile[data-domain="payment"] .share-green b')


def become(page: Page, name: str) -> None:
    page.locator("#people label", has_text=name).click()


def press_approve(page: Page) -> None:
    latest_card(page).locator('[data-action-id="approve"]').click(timeout=TIMEOUT_MS)
    page.locator("#confirm button[value=yes]").click()


def let_the_test(page: Page, ending: str) -> None:
    """Presses the smoke test's button; CodeDeploy's clock runs quicker until the card says what was found."""
    found = {"fail": "1 of 3 test cards was charged twice.", "pass": "checks 1/1"}[ending]
    set_speed(page, 10)
    page.locator('.tile[data-domain="payment"] .smoke').click()
    expect(latest_card(page)).to_contain_text(found, timeout=TIMEOUT_MS)
    set_speed(page, 1)


def test_a_green_check_and_two_people_switch_payment(page: Page) -> None:
    payment = latest_card(page)
    let_the_test(page, "fail")
    expect(payment).to_contain_text(": blocked")
    expect(payment).to_contain_text("“card charge smoke” failed")
    expect(payment.locator('[data-action-id="approve"]')).to_have_count(0)

    let_the_test(page, "pass")
    press_approve(page)
    expect(payment).to_contain_text("Approved by @Olu Ade (1 of 2).", timeout=TIMEOUT_MS)
    expect(payment).to_contain_text("1 more approval needed")
    expect(chip(page, "payment")).to_have_text("Waiting for approval")

    become(page, "Mina")
    press_approve(page)

    expect(green(page)).to_have_text("10%", timeout=TIMEOUT_MS)
    expect(payment).to_contain_text("@Mina Kim", timeout=TIMEOUT_MS)


def test_an_admin_uses_break_glass_during_a_freeze(page: Page) -> None:
    tile = page.locator('.tile[data-domain="payment"]')
    tile.get_by_role("button", name="Stop").click()
    expect(chip(page, "payment")).to_have_text("Rolled back", timeout=TIMEOUT_MS)
    tile.get_by_role("button", name="Deploy").click()
    page.get_by_role("button", name="all at once").first.click()
    expect(chip(page, "payment")).to_have_text("Waiting for approval", timeout=TIMEOUT_MS)
    become(page, "Grace")
    page.locator("#say").fill("/deploys freeze payment for 2h card network incident")
    page.keyboard.press("Enter")
    payment = latest_card(page)
    expect(payment).to_contain_text("card network incident", timeout=TIMEOUT_MS)

    expect(payment.locator('[data-action-id="approve"]')).to_have_count(0)

    payment.locator('[data-action-id="more"]').select_option(label="Break glass…")
    form = page.get_by_role("dialog", name="Break glass")
    expect(form).to_contain_text("card network incident", timeout=TIMEOUT_MS)
    expect(form).to_contain_text("1 more approval needed")
    form.get_by_label("Why can't this wait?").fill("Blue declines every second card.")
    form.get_by_role("button", name="Approve anyway").click()

    expect(form).to_be_hidden(timeout=TIMEOUT_MS)
    expect(green(page)).to_have_text("100%", timeout=TIMEOUT_MS)
    expect(payment).to_contain_text("Break glass: @Grace Park overrode the rules", timeout=TIMEOUT_MS)
    expect(payment).to_contain_text("Blue declines every second card.")
