"""The page's texts: both languages have all of them, and everything that the page writes is among them."""

import re
from pathlib import Path

import pytest

from app.i18n.catalog import LOCALES, LocaleName
from app.i18n.templates import differences
from app.sandbox.aws.state.deployment import LIFECYCLE
from app.sandbox.page import server
from app.sandbox.page.fault_toggles import FAULT_TOGGLES
from app.sandbox.page.texts import page_catalog, script_texts
from app.sandbox.people import DOMAIN_RULES
from app.sandbox.pipeline import SHIFTS

FOLDER = Path(server.__file__).parent
IN_SCRIPTS = re.compile(r"\btext\(\"(\w+)\"")
IN_TEMPLATE = re.compile(r"\btext\(\"([\w.]+)\"[,)]")


def test_both_languages_have_the_same_keys_and_fields() -> None:
    assert differences(page_catalog("en"), page_catalog("ko"), names=("en", "ko")) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_of_the_page_is_in_the_catalog(locale: LocaleName) -> None:
    catalog = page_catalog(locale)
    needed = {
        *IN_TEMPLATE.findall((FOLDER / "templates/page.html").read_text()),
        *(f"fault.{toggle.name}.{part}" for toggle in FAULT_TOGGLES for part in ("name", "what")),
        *(f"shift.{shift.name}" for shift in SHIFTS),
        *(f"event.{event}" for event in LIFECYCLE),
        *(f"rules.{domain}" for domain in DOMAIN_RULES),
    }

    assert needed - catalog.singles.keys() == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_of_the_scripts_is_sent_with_the_page(locale: LocaleName) -> None:
    scripts = [path.read_text() for path in (FOLDER / "static").glob("*.js")]
    used = {key for script in scripts for key in IN_SCRIPTS.findall(script)}

    assert len(used) > 10
    assert used - script_texts(locale).keys() == set()
