"""Draws cards of known gates as pictures for the documentation (`make pictures`). Look at what it made."""

from datetime import timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page

from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.people import CHANNEL, ONCALL, PEOPLE
from app.sandbox.slack.rendering.render import STYLESHEET, message_html
from app.sandbox.slack.rendering.viewer import Viewer
from app.sandbox.slack.state.shapes import BOT_USER, Message, Shown
from app.slack.blocks import Block
from app.slack.cards.card import render_card
from tests.browser.chromium import open_chromium
from tests.slack.cards.card_states import EVERY
from tests.slack.cards.card_states import Shown as ShownGate
from tests.slack.sample_gates import NOON

DOCS: Final = Path(__file__).parents[2] / "docs"
WIDTHS: Final = (800, 400)
"""Pixels: a desktop's channel, and a phone."""

STATES: Final = {
    "waiting": "waiting",
    "blocked": "blocked by a failed check",
    "frozen": "blocked by a freeze",
    "approved": "trouble in sending",
    "canary": "canary",
    "live": "live, blue may be terminated",
    "failed": "rollback failed",
    "undone": "undone",
    "rejected": "rejected",
    "glass": "break glass",
}
"""The pictures' names, and the gates that they show."""

PAGE: Final = """<!doctype html><html lang="{locale}"><meta charset="utf-8"><style>{style}</style>
<body style="margin: 0; background: #fff; width: {width}px">{card}</body></html>"""


def blocks_of(shown: ShownGate, locale: LocaleName) -> list[Block]:
    card = render_card(shown.view, texts=Texts.of(locale), domain=shown.domain, rule_status=shown.rule_status)
    # Slack gives every block an id.
    return [{"block_id": f"b{place}", **block} for place, block in enumerate(card.blocks)]


def card_html(shown: ShownGate, *, locale: LocaleName, width: int) -> str:
    """A page that is as wide as the card."""
    message = Message(
        channel=CHANNEL.id,
        ts=f"{NOON.timestamp():.6f}",
        user=BOT_USER,
        by_app=True,
        shown=Shown("", tuple(blocks_of(shown, locale))),
    )
    viewer = Viewer(
        user=PEOPLE[0].id,
        locale=locale,
        zone=ZoneInfo("Asia/Seoul"),
        now=NOON + timedelta(minutes=6),
        users={BOT_USER: "Switchgate", **{person.id: person.real_name for person in PEOPLE}},
        groups={ONCALL.id: ONCALL.handle},
        channels={CHANNEL.id: CHANNEL.name},
    )
    style = STYLESHEET.read_text(encoding="utf-8")
    return PAGE.format(locale=locale, style=style, width=width, card=message_html(message, viewer=viewer))


def show(page: Page, shown: ShownGate, *, locale: LocaleName, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.set_content(card_html(shown, locale=locale, width=width))


def take_pictures(browser: Browser) -> None:
    page = browser.new_page(device_scale_factor=2)
    for name, gate in STATES.items():
        for locale in LOCALES:
            for width in WIDTHS:
                show(page, EVERY[gate], locale=locale, width=width)
                suffix = "" if width == WIDTHS[0] else f".{width}"
                page.locator(".sl-message").screenshot(path=DOCS / f"card-{name}.{locale}{suffix}.png")


if __name__ == "__main__":
    with open_chromium() as chromium:
        take_pictures(chromium)
