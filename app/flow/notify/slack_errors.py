"""The errors of messages to Slack, as the use cases distinguish them."""

from datetime import timedelta


class SlackCallFailed(Exception):
    """Slack did not take the message, or nobody knows whether it did (`uncertain`).

    `retry_after` is Slack's own word, when it gave one. `refused`: Slack said no, and will say it again. `closed`: it
    said so of the channel, which takes no message of ours until somebody changes that.
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
