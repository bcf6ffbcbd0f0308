"""The errors of messages to Slack, as the use cases distinguish them."""

from datetime import timedelta


class SlackCallFailed(Exception):
    """Slack did not take the message, or nobody knows whether it did (`uncertain`).

    `retry_after`: as Slack gave it, if it did. `refused`: Slack rejects the call, and would reject it again. `closed`:
    Slack rejects every message of ours in this channel, until somebody changes the channel.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: timedelta | None = None,
        uncertain: bool = False,
        refused: bool = False,
        closed: bool = False,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.uncertain = uncertain
        self.refused = refused
        self.closed = closed


class MessageGone(Exception):
    """The message that we would edit is no longer there."""


class SearchUnavailable(Exception):
    """Slack does not let us search the channel, and asking again will not change that."""


def as_uncertain(exc: SlackCallFailed) -> SlackCallFailed:
    """The same failure of a search: whether an earlier post has arrived is as uncertain as before."""
    return SlackCallFailed(str(exc), retry_after=exc.retry_after, uncertain=True, closed=exc.closed)
