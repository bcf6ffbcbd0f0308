"""The shipped languages, and how a text is found and filled."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.i18n.catalog import LOCALES, LocaleName, NoSuchText, Texts, _catalogs, known
from app.i18n.templates import read_catalog

APP = Path(__file__).parents[2] / "app"

SAMPLE = """
plain = "hello"
braces = "{{literal}}"
[card.header]
waiting = "{domain}: switch?"
[left]
one = "{count} switch of {domain}"
other = "{count} switches of {domain}"
"""


@pytest.fixture
def texts() -> Texts:
    return Texts(read_catalog(SAMPLE, locale="en"), locale="en")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_that_is_shipped_loads(locale: LocaleName) -> None:
    assert Texts.of(locale)("button.approve")


def test_both_languages_say_something_of_their_own_under_every_key() -> None:
    english, korean = _catalogs()["en"], _catalogs()["ko"]
    assert english.fields == korean.fields
    hangul = re.compile("[가-힣]")
    assert not [key for key, text in english.singles.items() if hangul.search(text)]

    def has_words(text: str) -> bool:
        return any(letter.isalpha() for letter in re.sub(r"\{\w+\}", "", text))

    silent = [key for key, text in korean.singles.items() if not hangul.search(text)]
    # What is only fields and signs in English needs no words in Korean either.
    assert not [key for key in silent if has_words(english.singles[key])]


def keys_in_the_code() -> set[str]:
    """Every literal first argument of a call to `texts` or `texts.plural` below app/."""
    found = set()
    for file in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = ast.unparse(node.func)
                if re.fullmatch(r"(self\._?)?texts(\.plural)?", called):
                    found.add(str(node.args[0].value))
    return found


def test_every_text_that_the_code_asks_for_is_there() -> None:
    asked = keys_in_the_code()
    assert "reject.title" in asked
    assert asked <= _catalogs()["en"].fields.keys()


def test_a_text_is_found_by_its_dotted_key_and_filled(texts: Texts) -> None:
    assert texts("plain") == "hello"
    assert texts("card.header.waiting", domain="order", unused=1) == "order: switch?"
    assert texts("braces") == "{literal}"


def test_a_value_is_inserted_unchanged(texts: Texts) -> None:
    assert texts("card.header.waiting", domain="{0} {x.y} <!channel>") == "{0} {x.y} <!channel>: switch?"


def test_the_form_follows_the_count(texts: Texts) -> None:
    assert texts.plural("left", count=1, domain="order") == "1 switch of order"
    assert texts.plural("left", count=2, domain="order") == "2 switches of order"
    assert texts.plural("left", count=0, domain="order") == "0 switches of order"


def test_korean_has_one_form_for_every_count() -> None:
    texts = Texts(read_catalog('[left]\nother = "{count}건"\n', locale="ko"), locale="ko")
    assert [texts.plural("left", count=count) for count in (0, 1, 2)] == ["0건", "1건", "2건"]


def test_a_key_or_field_that_is_missing_is_named(texts: Texts) -> None:
    with pytest.raises(NoSuchText, match=r"en: card\.footer"):
        texts("card.footer")
    with pytest.raises(NoSuchText, match="card.header.waiting needs the field 'domain'"):
        texts("card.header.waiting")
    with pytest.raises(NoSuchText, match="plain has no plural forms"):
        texts.plural("plain", count=1)
    with pytest.raises(NoSuchText, match="left"):
        texts("left", count=1, domain="order")


@pytest.mark.parametrize(
    ("length", "english", "korean"),
    [
        (timedelta(0), "0 sec", "0초"),
        (timedelta(seconds=59.9), "59 sec", "59초"),
        (timedelta(minutes=1), "1 min", "1분"),
        (timedelta(minutes=42, seconds=59), "42 min", "42분"),
        (timedelta(minutes=59, seconds=59), "59 min", "59분"),
        (timedelta(hours=1), "1 hr", "1시간"),
        (timedelta(hours=1, minutes=5), "1 hr, 5 min", "1시간 5분"),
        (timedelta(days=2, hours=3, minutes=4), "2 days, 3 hr", "2일 3시간"),
        (timedelta(seconds=-5), "0 sec", "0초"),
    ],
)
def test_a_duration_is_short_and_never_promises_more_than_there_is(
    length: timedelta, english: str, korean: str
) -> None:
    assert Texts.of("en").duration(length) == english
    assert Texts.of("ko").duration(length) == korean


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ("ko-KR", "ko"),
        ("ko", "ko"),
        ("KO_kr", "ko"),
        ("en-GB", "en"),
        ("kok-IN", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_persons_locale_becomes_a_language_that_we_speak(given: str | None, ours: str) -> None:
    assert known(given) == ours
