"""Describes FastAPI's validation errors in plain sentences: which field, what is wrong, what to write instead.

The descriptions and examples are those of the OpenAPI document.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from app.web.problems import FieldError

MAX_NAME_CHARS: Final = 80
"""How much of a name that the client made up is repeated."""

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
    "literal_error": "is not {expected}",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is not of the shape that it always has",
    "missing": "is missing",
    "too_short": "is empty",
    "too_long": "has more than {max_length} entries",
    "timezone_aware": "has no zone",
    "value_error": "{error}",
}

Field = Mapping[str, Any]
"""A parameter, or a property of a schema, as OpenAPI has it."""


def field_errors(request: Request, exc: RequestValidationError) -> list[FieldError]:
    """One error for each field. Of a list, its first wrong entry is enough."""
    app: FastAPI = request.app
    route: APIRoute = request.scope["route"]
    document = app.openapi()
    operation = document["paths"][route.path_format][request.method.lower()]
    found: dict[tuple[Any, ...], FieldError] = {}
    for error in exc.errors():
        place, *inside = error["loc"]
        fields = _body_fields(document, operation) if place == "body" else _parameters(operation, place)
        found.setdefault(tuple(error["loc"][:2]), _field_error(error, place, inside, fields))
    return list(found.values())


def _field_error(error: Field, place: str, inside: list[Any], fields: Mapping[str, Field]) -> FieldError:
    known = f"Known: {', '.join(fields)}"
    if not inside or error["type"] == "json_invalid":
        return FieldError(field=place, detail=f"{_whole_body(error)}. {known}")
    name = str(inside[0])
    if name not in fields:
        near = get_close_matches(name.lower(), fields, n=1) if place == "query" else ()
        hint = "".join(f"Did you mean {each}? " for each in near)
        what = "filter" if place == "query" else "field"
        return FieldError(field=name[:MAX_NAME_CHARS], detail=f"no such {what} here. {hint}{known}")
    entry = f"entry {inside[1] + 1} " if len(inside) > 1 and isinstance(inside[1], int) else ""
    detail = f"{entry}{_what_is_wrong(error)}. {fields[name].get('description', '')}"
    path = ".".join(part for part in inside if isinstance(part, str))
    return FieldError(field=path, detail=f"{detail}{_example(place, name, fields[name])}")


def _parameters(operation: Field, place: str) -> dict[str, Field]:
    found = [each for each in operation.get("parameters", ()) if each["in"] == place]
    return {each["name"]: {**each["schema"], **each} for each in found}


def _body_fields(document: Field, operation: Field) -> dict[str, Field]:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    properties: dict[str, Field] = document["components"]["schemas"][name]["properties"]
    return properties


def _what_is_wrong(error: Field) -> str:
    context = dict(error.get("ctx", {}))
    context["expected"] = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    return _MESSAGES.get(error["type"], "cannot be used").format_map(context)


def _whole_body(error: Field) -> str:
    match error["type"]:
        case "missing":
            return "does not parse as JSON: it is empty"
        case "json_invalid":
            return f"does not parse as JSON: {error['ctx']['error']} at character {error['loc'][1] + 1}"
        case _:
            return "is no JSON object of these fields"


def _example(place: str, name: str, field: Field) -> str:
    if not field.get("examples"):
        return ""
    example = field["examples"][0]
    match place:
        case "query":
            return f" For example {name}={example}"
        case "body":
            return f" For example {json.dumps(example)}"
        case _:
            return f" For example {example}"
