"""What is said to somebody whose press the record did not confirm in time."""

from app.flow.record_ports import RecordAway, RecordInDoubt
from app.i18n.catalog import Texts
from app.within import InDoubt

UNCONFIRMED = (RecordAway, TimeoutError)
"""What the record raises then."""


def unrecorded(trouble: Exception, *, texts: Texts) -> str:
    """That nothing was recorded; where nobody can know that yet, that it may have been."""
    in_doubt = isinstance(trouble, RecordInDoubt | InDoubt)
    return texts("refused.in_doubt" if in_doubt else "refused.nothing_recorded")
