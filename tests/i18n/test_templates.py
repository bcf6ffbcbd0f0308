"""A catalog that would fail or mislead a reader does not load."""

import pytest

from app.i18n.templates import BadCatalog, differences, read_catalog


def refused(text: str, *, locale: str = "en") -> tuple[str, ...]:
    with pytest.raises(BadCatalog) as refusal:
        read_catalog(text, locale=locale)
    assert str(refusal.value) == "\n".join(refusal.value.problems)
    return refusal.value.problems


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{x.y}", "{x.y} is no plain field"),
        ("{x[0]}", "{x[0]} is no plain field"),
        ("{x.__class__}", "{x.__class__} is no plain field"),
        ("{}", "{} is no plain field"),
        ("{0}", "{0} is no plain field"),
        ("{x!r}", "{x!r} is no plain field"),
        ("{x:>30}", "{x:>30} is no plain field"),
        ("{x:{y}}", "is no plain field"),
        ("{", "is no template"),
        ("so }", "is no template"),
        (" ", "is empty"),
    ],
)
def test_a_template_holds_plain_fields_only(template: str, said: str) -> None:
    (problem,) = refused(f"[card]\nwaiting = '{template}'\n")
    assert problem.startswith("en: card.waiting: ")
    assert said in problem


def test_what_is_no_text_is_refused() -> None:
    assert refused("[card]\nport = 8020\nnames = ['a']\n") == (
        "en: card.port: is no text",
        "en: card.names: is no text",
    )
    assert "is not TOML" in refused("[card")[0]


def test_a_quoted_key_cannot_hide_another() -> None:
    assert refused('"a.b" = "one"\n[a]\nb = "two"\n') == ("en: a.b: stands twice",)


def test_every_form_that_the_language_has_is_needed_and_no_other() -> None:
    assert refused('[left]\nother = "x"\n') == ("en: left: has the forms other; needs one, other",)
    assert refused('[left]\none = "x"\nother = "x"\n', locale="ko") == (
        "ko: left: has the forms one, other; needs other",
    )


def test_a_bad_form_is_named() -> None:
    assert refused('[left]\none = "{x.y}"\nother = "x"\n')[0].startswith("en: left.one: ")


def test_an_ordinary_table_may_hold_a_key_named_one() -> None:
    assert read_catalog('[a]\none = "x"\ntwo = "y"\n', locale="en").singles == {"a.one": "x", "a.two": "y"}


def test_the_word_for_one_may_do_without_its_number() -> None:
    english = read_catalog('[left]\none = "a single one"\nother = "{count}"\n', locale="en")
    korean = read_catalog('[left]\nother = "{count}"\n', locale="ko")
    assert differences(english, korean, names=("en", "ko")) == []


def test_languages_that_differ_are_told_key_by_key() -> None:
    english = read_catalog('a = "x"\nb = "{who}"\nc = "{who}"\n[d]\none = "x"\nother = "x"\n', locale="en")
    korean = read_catalog('b = "{whom}"\nc = "x"\nd = "{count}"\ne = "x"\n', locale="ko")
    assert differences(english, korean, names=("en", "ko")) == [
        "en: e: is missing",
        "ko: a: is missing",
        "ko: b: other fields: en has who and ko has whom",
        "ko: c: other fields: en has who and ko has none",
        "ko: d: has plural forms in one language only",
    ]
