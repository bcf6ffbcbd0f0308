"""Why the times of a freeze cannot be used."""


class TimeRefused(ValueError):
    """The times cannot be used; `words` are the ones at fault."""

    def __init__(self, words: str = "") -> None:
        super().__init__(words)
        self.words = words


class NotATime(TimeRefused):
    """The words name no time."""


class NoEnd(TimeRefused):
    """It is not said until when."""


class SaidTwice(TimeRefused):
    """Two starts or two ends."""


class ClockMissing(TimeRefused):
    """A weekday, today or tomorrow as an end: its first or its last moment may be meant."""


class MayBelongToTime(TimeRefused):
    """It cannot be told whether a word belongs to the time or to the reason."""


class NoSuchLocalTime(TimeRefused):
    """Clocks are put forward over it."""


class DayUnclear(TimeRefused):
    """Today and tomorrow are other dates in the zone that is named."""


class ZoneUnknown(TimeRefused):
    """The person's own time zone is not known, and none is named."""
