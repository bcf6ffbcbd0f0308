"""The text for a request that the database did not confirm in time."""

from app.flow.ports.database import CommitOutcomeUnknown, DatabaseUnavailable
from app.i18n.catalog import Texts

UNCONFIRMED = (DatabaseUnavailable, TimeoutError)
"""Exceptions of an unconfirmed write."""


def save_error_text(exc: Exception, *, texts: Texts, about: str = "refused") -> str:
    """Says that nothing was saved, or that it may have been (unknown outcome of the COMMIT). `about`: text key."""
    unknown = isinstance(exc, CommitOutcomeUnknown)
    return texts(f"{about}.in_doubt" if unknown else f"{about}.nothing_recorded")
