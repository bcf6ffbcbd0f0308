"""Posts to a response URL: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses."""

from app.sandbox.slack.errors import SlackError
from app.sandbox.slack.state.shapes import Message, Shown
from app.sandbox.slack.state.triggers import ResponseUrl
from app.sandbox.slack.state.workspace import Workspace
from app.sandbox.slack.web_api.chat_api import read_shown
from app.sandbox.slack.web_api.params import Params, flag, text_of


class Responses:
    """Answers to a press or a command, authenticated by the secret address alone."""

    def __init__(self, workspace: Workspace) -> None:
        self._ws = workspace

    def respond(self, secret: str, params: Params) -> None:
        """Raises `SlackError`. A refused request counts as a use, too."""
        url = self._ws.response_urls.use(secret)
        if flag(params, "delete_original"):
            original = self._original(url)
            self._ws.messages.delete(original.channel, original.ts)
            return
        shown = read_shown(params)
        if flag(params, "replace_original"):
            original = self._original(url)
            self._ws.messages.edit(original.channel, original.ts, shown)
        else:
            self.answer(shown, url=url, to_all=text_of(params, "response_type") == "in_channel")

    def answer(self, shown: Shown, *, url: ResponseUrl, to_all: bool) -> Message:
        """A new message: for the person alone, unless `to_all`."""
        only_for = None if to_all else url.user
        return self._ws.messages.post(url.channel, shown, only_for=only_for)

    def _original(self, url: ResponseUrl) -> Message:
        message = self._ws.messages.find(url.channel, url.ts) if url.ts else None
        if message is None:
            raise SlackError("message_not_found", status=404)
        return message
