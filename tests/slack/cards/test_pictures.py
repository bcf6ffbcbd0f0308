"""Every state of a card as a picture beside this test. `UPDATE_PICTURES=1` takes them anew; look at the diff."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.slack.blocks.validate import message_problems
from app.sandbox.slack.rendering.mrkdwn import mrkdwn_html
from app.sandbox.slack.rendering.viewer import Viewer
from app.slack.cards.card import render_card
from tests.slack.sample_gates import NOON, STATES

PICTURES = Path(__file__).parent / "pictures"
EACH = [(state, locale) for state in STATES for locale in LOCALES]


def drawn(state: str, locale: LocaleName) -> dict[str, Any]:
    view, domain = STATES[state]
    texts = Texts.of(locale)
    card = render_card(view, texts=texts, domain=domain)
    return {"text": card.text, "blocks": card.blocks}


@pytest.mark.parametrize(("state", "locale"), EACH)
def test_a_card_looks_as_it_did(state: str, locale: LocaleName) -> None:
    picture = PICTURES / f"{state}.{locale}.json"
    now = json.dumps(drawn(state, locale), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("UPDATE_PICTURES"):
        picture.write_text(now, encoding="utf-8")
    assert now == picture.read_text(encoding="utf-8"), "if that is meant: UPDATE_PICTURES=1 make test"


@pytest.mark.parametrize(("state", "locale"), EACH)
def test_slack_takes_the_card_in_every_state(state: str, locale: LocaleName) -> None:
    assert message_problems(drawn(state, locale)["blocks"]) == []


@pytest.mark.parametrize(("state", "locale"), EACH)
def test_nothing_of_slacks_markup_is_left_to_read(state: str, locale: LocaleName) -> None:
    """Slack makes bold only what no letter touches: Korean particles do."""
    viewer = Viewer(user="U1", locale=locale, zone=NOON.tzinfo, now=NOON, users={}, groups={}, channels={})  # type: ignore[arg-type]
    shown = [mrkdwn_html(text, viewer=viewer) for text in markup(drawn(state, locale)["blocks"])]
    assert not [text for text in shown if "*" in text or "&lt;" in text]


def markup(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        return own + [text for value in part.values() for text in markup(value)]
    return [text for item in part for text in markup(item)] if isinstance(part, list) else []


def test_no_picture_is_left_of_a_state_that_is_gone() -> None:
    known = {f"{state}.{locale}.json" for state, locale in EACH}
    assert {picture.name for picture in PICTURES.iterdir()} == known
