"""Arguments of a request: query, form or JSON body, as Slack takes all three."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from app.sandbox.slack.errors import SlackError

Params = dict[str, Any]


async def read_params(request: web.Request) -> tuple[Params, str | None]:
    """The arguments and the token, which is not left among them. Raises `invalid_json` and `json_not_object`."""
    params: Params = dict(request.query)
    if request.content_type == "application/json":
        params |= _json_body(await request.text())
    else:
        form = await request.post()
        params |= {name: value for name, value in form.items() if isinstance(value, str)}
    in_body = params.pop("token", None)
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return params, bearer.strip() if scheme.lower() == "bearer" else in_body


def _json_body(text: str) -> Params:
    try:
        body = json.loads(text or "{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def text_of(params: Mapping[str, Any], name: str) -> str:
    """A string argument; missing: empty."""
    value = params.get(name)
    return "" if value is None else str(value)


def flag(params: Mapping[str, Any], name: str) -> bool:
    return str(params.get(name, "")).lower() in ("1", "true")


def number(params: Mapping[str, Any], name: str, default: float, *, code: str) -> float:
    """Raises `code` when it is none; missing or empty: the default."""
    text = text_of(params, name)
    try:
        return float(text) if text else default
    except ValueError:
        raise SlackError(code) from None


def structure(params: Mapping[str, Any], name: str, *, code: str) -> Any:
    """An argument that is JSON, also when it comes as a string in a form. Raises `code`; missing: None."""
    value = params.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except ValueError:
        raise SlackError(code) from None
