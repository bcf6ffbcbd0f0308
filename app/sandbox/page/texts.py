"""The page's own texts: `i18n/<language>.toml`."""

from functools import cache
from importlib.resources import files
from typing import Final

from app.i18n.catalog import LocaleName, Texts
from app.i18n.templates import Catalog, read_catalog

SCRIPT: Final = "script."
"""The keys that the page's scripts need begin so."""


@cache
def page_texts(locale: LocaleName) -> Texts:
    """What the server writes into the page."""
    return Texts(page_catalog(locale), locale=locale)


def script_texts(locale: LocaleName) -> dict[str, object]:
    """What the page's scripts write: templates, or their plural forms, by key."""
    catalog = page_catalog(locale)
    return {
        key.removeprefix(SCRIPT): template
        for key, template in {**catalog.singles, **catalog.plurals}.items()
        if key.startswith(SCRIPT)
    }


@cache
def page_catalog(locale: LocaleName) -> Catalog:
    """Raises `BadCatalog`."""
    text = (files("app.sandbox.page") / "i18n" / f"{locale}.toml").read_text("utf-8")
    return read_catalog(text, locale=locale)
