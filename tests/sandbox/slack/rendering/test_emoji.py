"""The shortcodes that Switchgate writes are rendered as emoji."""

import re
from pathlib import Path

import app
from app.sandbox.slack.rendering.emoji import TABLE, with_emoji

WRITTEN = re.compile(r":([a-z][a-z0-9_+-]+):")


def test_every_shortcode_of_the_catalogs_and_cards_is_known() -> None:
    root = Path(app.__file__).parent
    sources = [*root.joinpath("i18n").glob("*.toml"), *root.joinpath("slack").rglob("*.py")]
    written = {name for file in sources for name in WRITTEN.findall(file.read_text(encoding="utf-8"))}

    assert "white_check_mark" in written
    assert written - set(TABLE) == set()


def test_what_is_unknown_stays_as_it_is_written() -> None:
    assert with_emoji("12:30:45 :not_an_emoji: <b>") == "12:30:45 :not_an_emoji: &lt;b&gt;"
