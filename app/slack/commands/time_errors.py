"""Why the times of a freeze cannot be used."""


class InvalidTime(ValueError):
    """The times cannot be used; `words` are the ones at fault."""

    def __init__(self, words: str = "") -> None:
        super().__init__(words)
        self.words = words


class NotATime(InvalidTime):
    """The words name no time."""


class NoEnd(InvalidTime):
    """It is not said until when."""


class StartOrEnd(InvalidTime):
    """A time without a word that says whether it is the start or the end."""


class GivenTwice(InvalidTime):
    """Two starts or two ends."""


class ClockMissing(InvalidTime):
    """A weekday as an end: its first or its last moment may be meant."""


class MayBelongToTime(InvalidTime):
    """It cannot be told whether a word belongs to the time or to the reason."""


class NoSuchLocalTime(InvalidTime):
    """Clocks are put forward over it."""


class DayUnclear(InvalidTime):
    """Today and tomorrow are other dates in the zone that is named."""


class ZoneUnknown(InvalidTime):
    """The person's own time zone is not known, and none is named."""
