"""What is said to somebody whose press or word the record did not confirm in time."""

from app.concurrency.timeouts import CommitOutcomeUnknown
from app.flow.ports.database import DatabaseUnavailable, RecordInDoubt
from app.i18n.catalog import Texts

UNCONFIRMED = (DatabaseUnavailable, TimeoutError)
"""What the record raises then."""


def save_error_text(exc: Exception, *, texts: Texts, about: str = "refused") -> str:
    """That nothing was recorded; where nobody can know that yet, that it may have been. `about`: of what, in texts."""
    in_doubt = isinstance(exc, RecordInDoubt | CommitOutcomeUnknown)
    return texts(f"{about}.in_doubt" if in_doubt else f"{about}.nothing_recorded")
