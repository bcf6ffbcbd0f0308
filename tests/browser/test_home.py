"""App Home and bulk approve in the browser."""

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

TIMEOUT_MS = 30_000

UNKNOWN_DEPLOYER = "Deployer unknown"
"""On a card until the tag that names the deployer was read; one approval is not enough meanwhile."""


def tile(page: Page, domain: str) -> Locator:
    return page.locator(f'.tile[data-domain="{domain}"]')


def deploy(page: Page, *domains: str) -> None:
    """All at once, each until it waits for an answer."""
    for domain in domains:
        tile(page, domain).get_by_role("button", name="Deploy").click()
        page.get_by_role("button", name="all at once").first.click()
    for domain in domains:
        expect(tile(page, domain).locator(".chip")).to_have_text("Waiting for approval", timeout=TIMEOUT_MS)


def home(page: Page) -> Locator:
    page.get_by_role("tab", name="Home").click()
    shown = page.locator(".log--home .sl-home")
    expect(shown).to_be_visible(timeout=TIMEOUT_MS)
    return shown


def test_one_is_approved_in_home_and_home_says_so(page: Page) -> None:
    order_card = page.locator(
        '.log[data-place="C01DEPLOY"] .sl-message', has_text="klp-logistics-order-app"
    ).first
    expect(order_card).not_to_contain_text(UNKNOWN_DEPLOYER, timeout=TIMEOUT_MS)
    shown = home(page)
    shown.get_by_role("button", name="Refresh").click()
    expect(shown.get_by_role("heading", name="waiting for you")).to_be_visible(timeout=TIMEOUT_MS)
    order = shown.locator(".sl-section", has_text="order").locator(
        "xpath=following-sibling::*[contains(@class, 'sl-actions')][1]"
    )

    order.locator('[data-action-id="approve"]').click()
    asked = page.get_by_role("dialog", name="Switch order to green?")
    asked.get_by_role("button", name="Switch to green").click()

    expect(shown).to_contain_text("order approved. Sending to CodeDeploy", timeout=TIMEOUT_MS)
    expect(shown).to_contain_text("approved by @Olu Ade", timeout=TIMEOUT_MS)
    expect(tile(page, "order").locator(".share-green b")).to_have_text("100%", timeout=TIMEOUT_MS)


def test_several_are_picked_and_approved_from_home(page: Page) -> None:
    deploy(page, "auth", "user", "hub")
    shown = home(page)
    shown.get_by_role("button", name="Refresh").click()
    expect(shown).to_contain_text("hub", timeout=TIMEOUT_MS)

    shown.get_by_role("button", name="Approve several…").click(timeout=TIMEOUT_MS)
    form = page.get_by_role("dialog", name="Approve several")
    expect(form).to_be_visible(timeout=TIMEOUT_MS)
    for domain in ("auth", "hub"):
        form.get_by_role("checkbox", name=f"{domain} · ").check()
    form.get_by_role("button", name="Approve", exact=True).click()

    expect(form).to_contain_text("2 of 2 approvals recorded.", timeout=TIMEOUT_MS)
    form.get_by_role("button", name="Close").click()
    expect(form).to_be_hidden()
    for domain in ("auth", "hub"):
        expect(tile(page, domain).locator(".share-green b")).to_have_text("100%", timeout=TIMEOUT_MS)
    expect(tile(page, "user").locator(".chip")).to_have_text("Waiting for approval")


def test_the_command_opens_the_form_with_what_was_named_ticked(page: Page) -> None:
    deploy(page, "delivery", "promotion")
    page.get_by_role("tab", name="# deploys").click()
    page.locator("#say").fill("/deploys approve delivery promotion")
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Approve several")
    expect(form.get_by_role("checkbox", checked=True)).to_have_count(2, timeout=TIMEOUT_MS)

    form.get_by_role("checkbox", name="promotion · ").uncheck()
    form.get_by_role("button", name="Approve", exact=True).click()

    expect(form).to_contain_text("1 of 1 approvals recorded.", timeout=TIMEOUT_MS)
    page.keyboard.press("Escape")
    expect(tile(page, "delivery").locator(".share-green b")).to_have_text("100%", timeout=TIMEOUT_MS)
    expect(tile(page, "promotion").locator(".chip")).to_have_text("Waiting for approval")


def test_home_is_each_persons_own(page: Page) -> None:
    shown = home(page)
    expect(shown.get_by_role("heading", name="waiting for you")).to_be_visible(timeout=TIMEOUT_MS)

    page.get_by_text("Jun", exact=True).click()

    expect(shown).to_contain_text("지금 승인할 배포가 없습니다.", timeout=TIMEOUT_MS)
    expect(shown.get_by_role("button", name="승인", exact=True)).to_have_count(0)
