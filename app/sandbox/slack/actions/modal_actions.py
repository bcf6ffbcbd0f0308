"""Actions on an open modal: https://docs.slack.dev/surfaces/modals."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.slack.delivery.answers import Ack, SubmitResult
from app.sandbox.slack.delivery.delivery import Delivery
from app.sandbox.slack.delivery.payloads import Payloads
from app.sandbox.slack.errors import SlackError
from app.sandbox.slack.state.inputs import Filling, client_errors, filled_in
from app.sandbox.slack.state.shapes import View
from app.sandbox.slack.state.workspace import Workspace
from app.sandbox.slack.web_api.views_api import read_view


class ModalActions:
    """Runs on the server's loop. Raises `NotInWorkspace` for a view or field that is not there."""

    def __init__(self, workspace: Workspace, *, payloads: Payloads, delivery: Delivery) -> None:
        self._ws = workspace
        self._payloads = payloads
        self._delivery = delivery

    async def submit(
        self, user: str, view_id: str, values: Mapping[str, Filling], *, bypass_client_checks: bool = False
    ) -> SubmitResult:
        """Fills in and submits; `values` by block id or action id.

        `bypass_client_checks`: sends even what Slack's client would refuse, an empty required field for one.
        """
        view = self._ws.views.get(view_id)
        state = filled_in(view, values)
        errors = {} if bypass_client_checks else client_errors(view, state)
        if errors:
            self._ws.views.show_errors(view_id, errors)
            return SubmitResult(outcome="not_sent", errors=errors, view=self._ws.views.top(user))
        payload = self._payloads.submission(self._ws.people.user(user), view, state)
        ack = await self._delivery.deliver("interactive", payload)
        return self._apply_ack(view, ack)

    async def close(self, user: str, view_id: str, *, all_of_them: bool = False) -> Ack | None:
        """Closes the modal, or the whole stack; notifies the app if it asked for it, else returns None."""
        view = self._ws.views.get(view_id)
        if all_of_them:
            self._ws.views.clear(user)
        else:
            self._ws.views.close(view_id)
        if not view.body.get("notify_on_close"):
            return None
        payload = self._payloads.closed(self._ws.people.user(user), view, is_cleared=all_of_them)
        return await self._delivery.deliver("interactive", payload)

    def _apply_ack(self, view: View, ack: Ack) -> SubmitResult:
        """What the ack does to the modal; without one it stays, and the person may try again."""
        if not ack.acked:
            return SubmitResult(outcome="failed", ack=ack, view=view, problems=(ack.error,))
        answer: Any = ack.body if isinstance(ack.body, Mapping) else {}
        try:
            return self._apply_response_action(view, ack, answer)
        except SlackError as error:
            problems = (error.code, *error.more.get("errors", ()))
            return SubmitResult(outcome="failed", ack=ack, view=view, problems=problems)

    def _apply_response_action(self, view: View, ack: Ack, answer: Mapping[str, Any]) -> SubmitResult:
        match answer.get("response_action"):
            case None:
                self._ws.views.close(view.id)
                return SubmitResult(outcome="closed", ack=ack, view=self._ws.views.top(view.user))
            case "clear":
                self._ws.views.clear(view.user)
                return SubmitResult(outcome="cleared", ack=ack)
            case "update":
                body = read_view(dict(answer), surface="modal")
                updated = self._ws.views.update(view.id, body)
                return SubmitResult(outcome="updated", ack=ack, view=updated)
            case "push":
                body = read_view(dict(answer), surface="modal")
                return SubmitResult(outcome="pushed", ack=ack, view=self._ws.views.push(view.user, body))
            case "errors":
                errors = _errors(view, answer)
                shown = self._ws.views.show_errors(view.id, errors)
                return SubmitResult(outcome="errors", ack=ack, errors=errors, view=shown)
            case unknown:
                raise SlackError(f"unknown response_action {unknown}")


def _errors(view: View, answer: Mapping[str, Any]) -> dict[str, str]:
    """Slack takes errors only for input blocks of this view."""
    errors = answer.get("errors")
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or set(errors) - inputs:
        raise SlackError("invalid_errors")
    return {block_id: str(text) for block_id, text in errors.items()}
