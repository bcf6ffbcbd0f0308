"""A parameter that cannot be used, in a plain sentence: which one, what is wrong, what to write, an example."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

LONGEST_NAME: Final = 80
"""Of a parameter that is none of ours, and is said back."""


class Refused(BaseModel):
    """Why a question is not answered: a sentence that begins with what is to be mended."""

    detail: str


REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Refused, "description": "Something of the request cannot be used."}
}
"""What a router's operations answer besides their own; else the document would tell of pydantic's lists."""

_WRONG: Final = {
    "int_parsing": "is no whole number",
    "int_parsing_size": "is no number that is counted here",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "enum": "is none of {expected}",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is not of the shape that it always has",
}


async def refuse(request: Request, trouble: Exception) -> JSONResponse:
    """The answer to a request whose parameters FastAPI refused, in the shape of our own refusals."""
    if not isinstance(trouble, RequestValidationError):
        raise trouble
    route: APIRoute = request.scope["route"]
    known = [*route.dependant.query_params, *route.dependant.path_params]
    fields = {field.alias: field.field_info for field in known}
    told = [_sentence(error, fields[str(error["loc"][1])]) for error in trouble.errors()]
    return JSONResponse({"detail": "; ".join(told)}, 422)


def unknown_parameter(request: Request) -> str | None:
    """The sentence about a query parameter that the operation does not have; None: it has them all."""
    route: APIRoute = request.scope["route"]
    known = [field.alias for field in route.dependant.query_params]
    for name in request.query_params:
        if name not in known:
            near = get_close_matches(name.lower(), known, n=1)
            said = f"Did you mean {near[0]}? " if near else ""
            return f"{name[:LONGEST_NAME]}: no such filter here. {said}Known: {', '.join(known)}"
    return None


def _sentence(error: Mapping[str, Any], field: FieldInfo) -> str:
    place, name = error["loc"][:2]
    context = dict(error.get("ctx", {}))
    context["expected"] = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    wrong = _WRONG.get(error["type"], "cannot be used").format_map(context)
    said = f"{name}: {wrong}. {field.description}"
    if not field.examples:
        return said
    example = field.examples[0]
    return f"{said} For example {name}={example}" if place == "query" else f"{said} For example {example}"
