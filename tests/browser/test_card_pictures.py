"""A waiting card on a phone: what one decides by, and Approve, without scrolling."""

import pytest
from playwright.sync_api import Browser

from app.i18n.catalog import LOCALES, LocaleName
from tests.browser.card_pictures import show
from tests.slack.cards.card_states import EVERY

pytestmark = pytest.mark.browser

PHONE_PX = 400


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", ["waiting", "voted in part"])
def test_approve_is_within_the_first_400_pixels_of_a_card_on_a_phone(
    chromium: Browser, name: str, locale: LocaleName
) -> None:
    page = chromium.new_page()
    show(page, EVERY[name], locale=locale, width=PHONE_PX)
    card = page.locator(".sl-message").bounding_box()
    approve = page.locator('[data-action-id="approve"]').bounding_box()
    page.close()
    assert card is not None
    assert approve is not None
    assert approve["y"] + approve["height"] - card["y"] <= PHONE_PX
