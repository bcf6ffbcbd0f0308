"""Posts a message once, although an answer of Slack may be lost or a replica killed in between."""

from collections.abc import Awaitable, Callable

from app.flow.notify.slack_errors import SlackCallFailed, as_uncertain


async def post_once(
    *,
    uncertain: bool,
    find: Callable[[], Awaitable[str | None]],
    mark_posting: Callable[[], Awaitable[bool]],
    post: Callable[[], Awaitable[str]],
) -> str | None:
    """Gives the message's ts; None when the lease was lost. Raises `SlackCallFailed` and `MessageGone`.

    `uncertain`: an earlier post was not answered, so the message is searched for first. `mark_posting` stores the
    intent, and says whether the lease still holds.
    """
    if uncertain:
        try:
            found = await find()
        except SlackCallFailed as exc:
            raise as_uncertain(exc) from None  # a search that fails proves nothing
        if found is not None:
            return found
    if not await mark_posting():
        return None
    return await post()
