"""Bodies of requests that write: JSON, and not more of it than such a thing can be."""

from typing import Final, TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError

from app.web.api.error_responses import field_sentence

MAX_BODY_BYTES: Final = 16 * 1024


M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, model: type[M]) -> M:
    """The body, checked. Raises 413, 415, and 422 with a sentence a field."""
    body = await _read_json(request)
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        messages: dict[tuple[int | str, ...], str] = {}
        for error in exc.errors(include_url=False):
            # Of a list, its first wrong entry is enough.
            messages.setdefault(error["loc"][:1], field_sentence(error, model))
        raise HTTPException(422, "; ".join(messages.values())) from None


async def _read_json(request: Request) -> bytes:
    """The body as it came; nothing beyond the limit is kept."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "Content-Type: send application/json")
    content_length = request.headers.get("content-length", "")
    if content_length.isdigit() and int(content_length) > MAX_BODY_BYTES:
        raise HTTPException(413, f"The body is over {MAX_BODY_BYTES} bytes.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"The body is over {MAX_BODY_BYTES} bytes.")
    return bytes(body)
