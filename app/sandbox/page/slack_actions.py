"""What one does in the Slack half: press, fill in, close, say, look at Home."""

from typing import Any, Final

from app.sandbox.page.action import Asked, Deed, Told
from app.sandbox.page.datetime_fields import with_datetime_fields
from app.sandbox.slack.answers import Ack, SubmitResult
from app.sandbox.slack.shapes import Shown
from app.sandbox.slack.stand_in import SlackStandIn

COMMANDS: Final = ("/deploys",)

_TROUBLES: Final = {
    "operation_timeout": "Switchgate did not answer within 3 seconds (operation_timeout).",
    "dispatch_failed": "Switchgate cannot be reached (dispatch_failed).",
}


class Press(Asked):
    channel: str
    ts: str
    action_id: str
    block_id: str | None = None
    value: str | None = None


class PressInView(Asked):
    view_id: str
    action_id: str
    block_id: str | None = None
    value: str | None = None


class Submit(Asked):
    view_id: str
    values: dict[str, str | list[str]]


class Close(Asked):
    view_id: str


class Say(Asked):
    channel: str
    text: str


class SlackActions:
    """By the path that the page posts to."""

    def __init__(self, slack: SlackStandIn) -> None:
        self._slack = slack

    def all(self) -> dict[str, Deed[Any]]:
        return {
            "press": Deed(Press, self.press),
            "press-in-view": Deed(PressInView, self.press_in_view),
            "submit": Deed(Submit, self.submit),
            "close": Deed(Close, self.close),
            "say": Deed(Say, self.say),
            "home": Deed(Asked, self.home),
        }

    async def press(self, asked: Press) -> Told:
        result = await self._slack.press_async(
            asked.who,
            asked.channel,
            asked.ts,
            asked.action_id,
            block_id=asked.block_id,
            value=asked.value,
        )
        return _about(result.ack)

    async def press_in_view(self, asked: PressInView) -> Told:
        result = await self._slack.press_in_view_async(
            asked.who, asked.view_id, asked.action_id, block_id=asked.block_id, value=asked.value
        )
        return _about(result.ack)

    async def submit(self, asked: Submit) -> Told:
        view = self._slack.views.get(asked.view_id)
        values = with_datetime_fields(view, asked.values, viewer=self._slack.viewer(asked.who))
        result: SubmitResult = await self._slack.submit_async(asked.who, asked.view_id, values)
        if result.outcome != "trouble":
            return Told()
        known = [_TROUBLES.get(problem, problem) for problem in result.problems]
        return Told(" ".join(known) or "Something went wrong.", trouble=True)

    async def close(self, asked: Close) -> Told:
        await self._slack.close_async(asked.who, asked.view_id)
        return Told()

    async def say(self, asked: Say) -> Told:
        text = asked.text.strip()
        if not text.startswith("/"):
            self._slack.people.channel(asked.channel)
            if text:
                self._slack.messages.post(asked.channel, Shown(text), user=asked.who)
            return Told()
        command, _, rest = text.partition(" ")
        if command not in COMMANDS:
            return Told(f"{command} is not a valid command. Try /deploys help.", trouble=True)
        result = await self._slack.slash_async(asked.who, asked.channel, command, rest.strip())
        if result.problems:
            return Told(f"{command} failed: {', '.join(result.problems)}", trouble=True)
        return _about(result.ack)

    async def home(self, asked: Asked) -> Told:
        """An app that publishes no Home tab does not answer; Slack says nothing about it."""
        await self._slack.open_home_async(asked.who)
        return Told()


def _about(ack: Ack) -> Told:
    """What Slack's client says when all is not well."""
    return Told() if ack.acked else Told(_TROUBLES.get(ack.trouble, ack.trouble), trouble=True)
