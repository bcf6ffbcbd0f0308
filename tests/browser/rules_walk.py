"""`payment`, which a failed check blocks, and the form in which an admin approves it all the same."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from tests.browser.walks import card_of, take

TIMEOUT_MS: Final = 60_000
WHY: Final = {
    "en": "Blue declines every second card, and this is the fix. What was charged twice is a retired test card.",
    "ko": "블루에서 카드 결제의 절반이 거절되고 있고 이 배포로 고쳐집니다. 이중 결제는 폐기한 테스트 카드뿐입니다.",
}
BREAK_GLASS: Final = {"en": "Break glass…", "ko": "비상 승인…"}


def take_rules(page: Page, locale: str, docs: Path) -> None:
    """The form of break-glass."""
    payment = card_of(page, "payment")
    page.locator('[data-domain="payment"] .smoke[data-on="false"]').click()
    expect(payment).to_contain_text("1 of 3", timeout=TIMEOUT_MS)
    page.locator("#people label", has_text="Grace").click()
    payment.locator('[data-action-id="more"]').select_option(label=BREAK_GLASS[locale])
    form = page.locator("#modal .sl-modal")
    form.locator("textarea").fill(WHY[locale], timeout=TIMEOUT_MS)
    take(page, form, docs / f"glass.{locale}.png")
