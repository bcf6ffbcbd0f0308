"""A parameter or field that cannot be used, in a plain sentence: which, what is wrong, what to write, an example."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

MAX_NAME_CHARS: Final = 80
"""Of a parameter that is none of ours, and is said back."""


class Refused(BaseModel):
    """Why a question is not answered: a sentence that begins with what is to be mended."""

    detail: str


VALIDATION_ERROR_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Refused, "description": "Something of the request cannot be used."}
}
"""What a router's operations answer besides their own; else the document would tell of pydantic's lists."""

_MESSAGES: Final = {
    "string_type": "is no text",
    "list_type": "is no list",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "int_type": "is no whole number",
    "int_from_float": "is no whole number",
    "int_parsing": "is no whole number",
    "datetime_type": "is no time",
    "datetime_parsing": "is no time",
    "datetime_from_date_parsing": "is no time",
    "datetime_object_invalid": "is no time",
    "int_parsing_size": "is no number that is counted here",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "enum": "is none of {expected}",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is not of the shape that it always has",
    "missing": "is missing",
    "too_short": "is empty",
    "too_long": "has more than {max_length} entries",
    "timezone_aware": "has no zone",
    "value_error": "{error}",
}


async def validation_error_response(request: Request, exc: Exception) -> JSONResponse:
    """The answer to a request whose parameters FastAPI refused, in the shape of our own refusals."""
    if not isinstance(exc, RequestValidationError):
        raise exc
    route: APIRoute = request.scope["route"]
    known = [*route.dependant.query_params, *route.dependant.path_params]
    fields = {field.alias: field.field_info for field in known}
    messages = [_sentence(error, fields[str(error["loc"][1])]) for error in exc.errors()]
    return JSONResponse({"detail": "; ".join(messages)}, 422)


def unknown_parameter(request: Request) -> str | None:
    """The sentence about a query parameter that the operation does not have; None: it has them all."""
    route: APIRoute = request.scope["route"]
    known = [field.alias for field in route.dependant.query_params]
    for name in request.query_params:
        if name not in known:
            near = get_close_matches(name.lower(), known, n=1)
            said = f"Did you mean {near[0]}? " if near else ""
            return f"{name[:MAX_NAME_CHARS]}: no such filter here. {said}Known: {', '.join(known)}"
    return None


def field_sentence(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """The sentence about what pydantic found wrong in a body of this model."""
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    known = f"Known: {', '.join(fields)}"
    if not error["loc"]:
        return f"body: {_what_is_wrong_with_all(error)}. {known}"
    name, *inside = map(str, error["loc"])
    if name not in fields:
        return f"{name[:MAX_NAME_CHARS]}: no such field here. {known}"
    entry = f"entry {int(inside[0]) + 1} " if inside and inside[0].isdecimal() else ""
    said = f"{name}: {entry}{_what_is_wrong(error)}. {fields[name].description}"
    return f"{said} For example {json.dumps(example)}" if (example := _example(fields[name])) else said


def _sentence(error: Mapping[str, Any], field: FieldInfo) -> str:
    place, name = error["loc"][:2]
    said = f"{name}: {_what_is_wrong(error)}. {field.description}"
    if (example := _example(field)) is None:
        return said
    return f"{said} For example {name}={example}" if place == "query" else f"{said} For example {example}"


def _what_is_wrong(error: Mapping[str, Any]) -> str:
    context = dict(error.get("ctx", {}))
    context["expected"] = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    return _MESSAGES.get(error["type"], "cannot be used").format_map(context)


def _what_is_wrong_with_all(error: Mapping[str, Any]) -> str:
    if error["type"] != "json_invalid":
        return "is no JSON object of these fields"
    return f"does not parse as JSON: {error['ctx']['error'] if error['input'] else 'it is empty'}"


def _example(field: FieldInfo) -> Any:
    return field.examples[0] if field.examples else None
