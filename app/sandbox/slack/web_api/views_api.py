"""views.*: https://docs.slack.dev/reference/methods?family=views."""

from typing import Any

from app.sandbox.slack.blocks.validate import view_is_too_large, view_problems
from app.sandbox.slack.errors import SlackError, invalid_blocks
from app.sandbox.slack.state.json_shapes import view_json
from app.sandbox.slack.state.shapes import Json, View
from app.sandbox.slack.state.workspace import Workspace
from app.sandbox.slack.web_api.params import Params, structure, text_of


class ViewsApi:
    """Each method takes a request's arguments and returns the fields beside `"ok": true`."""

    def __init__(self, workspace: Workspace) -> None:
        self._ws = workspace
        self.methods = {
            "views.open": self.open,
            "views.push": self.push,
            "views.update": self.update,
            "views.publish": self.publish,
        }

    def open(self, params: Params) -> Json:
        """Only a valid view spends the trigger."""
        body = read_view(params, surface="modal")
        self._reject_duplicate(body)
        return _answer(self._ws.views.open(self._ws.triggers.spend(text_of(params, "trigger_id")), body))

    def push(self, params: Params) -> Json:
        body = read_view(params, surface="modal")
        self._reject_duplicate(body)
        return _answer(self._ws.views.push(self._ws.triggers.spend(text_of(params, "trigger_id")), body))

    def update(self, params: Params) -> Json:
        """By `view_id` or `external_id`; `hash` guards against a view that has changed since."""
        view = self._ws.views.find(text_of(params, "view_id"))
        if view is None and text_of(params, "external_id"):
            view = self._ws.views.find_external(text_of(params, "external_id"))
        if view is None:
            raise SlackError("not_found")
        body = read_view(params, surface=view.type)
        return _answer(self._ws.views.update(view.id, body, hash_=text_of(params, "hash") or None))

    def publish(self, params: Params) -> Json:
        user = self._ws.people.find_user(text_of(params, "user_id"))
        if user is None:
            raise SlackError("user_not_found")
        body = read_view(params, surface="home")
        return _answer(self._ws.views.publish(user.id, body, hash_=text_of(params, "hash") or None))

    def _reject_duplicate(self, body: Json) -> None:
        external = body.get("external_id")
        if external and self._ws.views.find_external(str(external)):
            raise SlackError("duplicate_external_id")


def read_view(params: Params, *, surface: str) -> Json:
    """Raises `invalid_arguments` with what is wrong, and `view_too_large`."""
    view: Any = structure(params, "view", code="invalid_arguments")
    problems = view_problems(view)
    if not problems and view["type"] != surface:
        problems = [f"[ERROR] must be of type {surface} [json-pointer:/view/type]"]
    if problems:
        raise invalid_blocks("invalid_arguments", problems)
    if view_is_too_large(view):
        raise SlackError("view_too_large")
    body: Json = view
    return body


def _answer(view: View) -> Json:
    return {"view": view_json(view)}
