"""Actions in the Slack pane: press, submit, close, post, open Home."""

from typing import Any, Final

from app.i18n.catalog import Texts
from app.sandbox.page.action import ActionRequest, ActionResult, PageAction
from app.sandbox.page.datetime_fields import with_datetime_fields
from app.sandbox.slack.delivery.answers import Ack, SubmitResult
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.shapes import Shown

COMMANDS: Final = ("/deploys",)

_CLIENT_ERRORS: Final = ("operation_timeout", "dispatch_failed")
"""Those for which Slack's client has a sentence."""


class Press(ActionRequest):
    channel: str
    ts: str
    action_id: str
    block_id: str | None = None
    value: str | None = None


class PressInView(ActionRequest):
    view_id: str
    action_id: str
    block_id: str | None = None
    value: str | None = None


class Submit(ActionRequest):
    view_id: str
    values: dict[str, str | list[str]]


class Close(ActionRequest):
    view_id: str


class Say(ActionRequest):
    channel: str
    text: str


class SlackActions:
    """The actions by the path that the page posts to."""

    def __init__(self, slack: SlackStandIn, text: Texts) -> None:
        self._slack = slack
        self._text = text

    def all(self) -> dict[str, PageAction[Any]]:
        return {
            "press": PageAction(Press, self.press),
            "press-in-view": PageAction(PressInView, self.press_in_view),
            "submit": PageAction(Submit, self.submit),
            "close": PageAction(Close, self.close),
            "say": PageAction(Say, self.say),
            "home": PageAction(ActionRequest, self.home),
        }

    async def press(self, request: Press) -> ActionResult:
        result = await self._slack.press_async(
            request.who,
            request.channel,
            request.ts,
            request.action_id,
            block_id=request.block_id,
            value=request.value,
        )
        return self._result_of(result.ack)

    async def press_in_view(self, request: PressInView) -> ActionResult:
        result = await self._slack.press_in_view_async(
            request.who, request.view_id, request.action_id, block_id=request.block_id, value=request.value
        )
        return self._result_of(result.ack)

    async def submit(self, request: Submit) -> ActionResult:
        view = self._slack.views.get(request.view_id)
        values = with_datetime_fields(view, request.values, viewer=self._slack.viewer(request.who))
        result: SubmitResult = await self._slack.submit_async(request.who, request.view_id, values)
        if result.outcome != "failed":
            return ActionResult()
        known = [self._error(problem) for problem in result.problems]
        return ActionResult(" ".join(known) or self._text("done.failed"), failed=True)

    async def close(self, request: Close) -> ActionResult:
        await self._slack.close_async(request.who, request.view_id)
        return ActionResult()

    async def say(self, request: Say) -> ActionResult:
        text = request.text.strip()
        if not text.startswith("/"):
            self._slack.people.channel(request.channel)
            if text:
                self._slack.messages.post(request.channel, Shown(text), user=request.who)
            return ActionResult()
        command, _, rest = text.partition(" ")
        if command not in COMMANDS:
            return ActionResult(self._text("done.unknown_command", command=command), failed=True)
        result = await self._slack.slash_async(request.who, request.channel, command, rest.strip())
        if result.problems:
            problems = ", ".join(result.problems)
            return ActionResult(
                self._text("done.command_failed", command=command, problems=problems), failed=True
            )
        return self._result_of(result.ack)

    async def home(self, request: ActionRequest) -> ActionResult:
        """No error if the app publishes no Home tab: Slack shows none either."""
        await self._slack.open_home_async(request.who)
        return ActionResult()

    def _result_of(self, ack: Ack) -> ActionResult:
        """The message that Slack's client shows for a failed ack."""
        return ActionResult() if ack.acked else ActionResult(self._error(ack.error), failed=True)

    def _error(self, code: str) -> str:
        return self._text(f"done.{code}") if code in _CLIENT_ERRORS else code
