"""Actions of a person in the workspace: press, give a command, open the Home tab."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from app.sandbox.slack.blocks.validate import elements_of
from app.sandbox.slack.delivery.answers import Ack, PressResult, SlashResult
from app.sandbox.slack.delivery.delivery import Delivery
from app.sandbox.slack.delivery.payloads import Payloads
from app.sandbox.slack.errors import NotInWorkspace, SlackError
from app.sandbox.slack.state.inputs import filled_in
from app.sandbox.slack.state.shapes import Json, Message, Shown
from app.sandbox.slack.state.workspace import Workspace
from app.sandbox.slack.web_api.chat_api import read_shown


class UserActions:
    """Runs on the server's loop. Raises `NotInWorkspace` where the workspace does not have what is named."""

    def __init__(self, workspace: Workspace, *, payloads: Payloads, delivery: Delivery) -> None:
        self._ws = workspace
        self._payloads = payloads
        self._delivery = delivery

    async def press(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
    ) -> PressResult:
        """Presses a button, or picks an option by its value.

        A button that has gone since can still be pressed, as by a client that has not updated yet.
        `value` replaces what the button carries, as no honest client would.
        """
        person = self._ws.people.user(user)
        place = self._ws.people.channel(channel)
        message = self._ws.messages.get(channel, ts, even_deleted=True)
        if message.only_for not in (None, user):
            raise NotInWorkspace(f"{user} does not see the message {ts}")
        shown, block, element = _find_in_message(message, action_id, block_id)
        action = self._payloads.action(element, block["block_id"], value)
        payload = self._payloads.press(person, place, replace(message, shown=shown), action)
        ack = await self._delivery.deliver("interactive", payload)
        return PressResult(ack=ack, trigger_id=payload["trigger_id"])

    async def press_in_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
    ) -> PressResult:
        """The same in a modal or a Home tab."""
        person = self._ws.people.user(user)
        view = self._ws.views.get(view_id)
        found = _find(view.body["blocks"], action_id, block_id)
        if found is None:
            raise NotInWorkspace(f"the view {view_id} has no {action_id}")
        action = self._payloads.action(found[1], found[0]["block_id"], value)
        payload = self._payloads.press_in_view(person, view, action, filled_in(view, {}))
        ack = await self._delivery.deliver("interactive", payload)
        return PressResult(ack=ack, trigger_id=payload["trigger_id"])

    async def slash(self, user: str, channel: str, command: str, text: str = "") -> SlashResult:
        """Gives a command; the answer in the ack is shown, as an ephemeral by default."""
        person, place = self._ws.people.user(user), self._ws.people.channel(channel)
        url = self._ws.response_urls.issue(channel=place.id, user=person.id)
        payload = self._payloads.command(person, place, command, text, url)
        ack = await self._delivery.deliver("slash_commands", payload)
        return self._answered(ack, channel=channel, user=user)

    async def open_home(self, user: str, *, tab: Literal["home", "messages"] = "home") -> Ack:
        """The person opens the app's Home tab or its conversation; Slack sends the same event for both."""
        person = self._ws.people.user(user)
        channel = self._ws.people.direct_channel(person)
        view = self._ws.views.home(user) if tab == "home" else None
        payload = self._payloads.home_opened(person, channel, view, tab=tab)
        return await self._delivery.deliver("events_api", payload)

    async def change_channel_id(
        self, old: str, new: str, *, notify: bool = True, **fields: Any
    ) -> Ack | None:
        """A channel becomes private or shared and gets another id.

        Messages keep their ts, and the old id is not found any more. `fields` of the channel change with it.
        `notify`: whether the app gets the event; Slack sends it only for channels that are shared with another
        company.
        """
        with self._ws.lock.change():
            self._ws.people.rename_channel(old, new, **fields)
            self._ws.messages.rename_channel(old, new)
        if not notify:
            return None
        return await self._delivery.deliver("events_api", self._payloads.channel_id_changed(old, new))

    async def replay(self, *, headers: Mapping[str, str] | None = None, body: str | None = None) -> Ack:
        """Somebody sends the last signed HTTP request once more, as it was or tampered with."""
        return await self._delivery.replay(headers=headers, body=body)

    def _answered(self, ack: Ack, *, channel: str, user: str) -> SlashResult:
        body: Any = {"text": ack.body} if isinstance(ack.body, str) else ack.body
        if not ack.acked or not body or not (body.get("text") or body.get("blocks")):
            return SlashResult(ack=ack)
        try:
            shown: Shown = read_shown(dict(body))
        except SlackError as error:
            return SlashResult(ack=ack, problems=(error.code, *error.more.get("errors", ())))
        only_for = None if body.get("response_type") == "in_channel" else user
        return SlashResult(ack=ack, message=self._ws.messages.post(channel, shown, only_for=only_for))


def _find(blocks: Any, action_id: str, block_id: str | None) -> tuple[Json, Json] | None:
    for block in blocks:
        if block_id not in (None, block["block_id"]):
            continue
        for element in elements_of(block):
            if element["action_id"] == action_id:
                return block, element
    return None


def _find_in_message(message: Message, action_id: str, block_id: str | None) -> tuple[Shown, Json, Json]:
    """The latest state of the message that had the button."""
    for shown in (message.shown, *reversed(message.earlier)):
        found = _find(shown.blocks, action_id, block_id)
        if found is not None:
            return shown, *found
    raise NotInWorkspace(f"the message {message.ts} has no {action_id}")
