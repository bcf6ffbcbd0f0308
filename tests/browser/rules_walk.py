"""`payment`, which needs two approvals and a passed check: blocked, frozen, and switched by break-glass."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, expect

from tests.browser.walks import approve, card_of, chip, take

TIMEOUT_MS: Final = 60_000
ENOUGH: Final = 5
FREEZE: Final = {"en": "card network incident", "ko": "카드사 망 장애"}
WHY: Final = {
    "en": "Blue declines every second card, and this is the fix. What was charged twice is a retired test card.",
    "ko": "블루에서 카드 결제의 절반이 거절되고 있고 이 배포로 고쳐집니다. 이중 결제는 폐기한 테스트 카드뿐입니다.",
}


def take_rules(page: Page, locale: str, docs: Path) -> None:
    """One of two approved and the check runs again; a freeze over it; the form of break-glass; the card after."""
    payment = card_of(page, "payment")
    expect(payment).to_contain_text("3 of 3", timeout=TIMEOUT_MS)
    approve(page, "payment")
    expect(payment.locator('[data-action-id="take_back"]')).to_be_visible(timeout=TIMEOUT_MS)
    _take_while_it_runs(page, payment, docs / f"card-rules.{locale}.png")
    expect(payment).to_contain_text("1 of 3", timeout=TIMEOUT_MS)
    page.locator("#people label", has_text="Grace").click()
    page.locator("#say").fill(f"/deploys freeze payment for 2h {FREEZE[locale]}")
    page.keyboard.press("Enter")
    expect(payment).to_contain_text(FREEZE[locale], timeout=TIMEOUT_MS)
    take(page, payment, docs / f"card-frozen.{locale}.png")
    _break_glass(page, payment, locale, docs)
    expect(page.locator('[data-domain="payment"] .share-green b')).to_have_text("10%", timeout=TIMEOUT_MS)
    expect(payment.locator('[data-action-id="undo"]')).to_be_visible(timeout=TIMEOUT_MS)
    expect(payment).to_contain_text("10 %", timeout=TIMEOUT_MS)
    take(page, payment, docs / f"card-glass.{locale}.png")


def _take_while_it_runs(page: Page, payment: Locator, path: Path) -> None:
    """The check has seconds to run; a picture that came too late is taken again."""
    fails = True
    for _ in range(ENOUGH):
        page.locator(f'[data-domain="payment"] .smoke[data-on="{str(not fails).lower()}"]').click()
        expect(payment).to_contain_text("Charges three", timeout=TIMEOUT_MS)
        take(page, payment, path)
        if "Charges three" in payment.inner_text() and fails:
            return
        fails = not fails
    raise AssertionError("the check never ran for as long as a picture takes")


def _break_glass(page: Page, payment: Locator, locale: str, docs: Path) -> None:
    payment.locator('[data-action-id="break_glass"]').click()
    form = page.locator("#modal .sl-modal")
    form.locator("textarea").fill(WHY[locale], timeout=TIMEOUT_MS)
    take(page, form, docs / f"glass.{locale}.png")
    form.locator('[data-modal="submit"]').click()
    expect(chip(page, "payment")).not_to_have_text("Waiting for approval", timeout=TIMEOUT_MS)
