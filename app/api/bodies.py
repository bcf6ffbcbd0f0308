"""Bodies of requests that write: JSON, and not more of it than such a thing can be."""

from typing import Final

from fastapi import HTTPException, Request

LARGEST: Final = 16 * 1024


async def read_json(request: Request) -> bytes:
    """The body as it came. Raises 413 and 415; nothing beyond the limit is kept."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "Content-Type: send application/json")
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > LARGEST:
        raise HTTPException(413, f"The body is over {LARGEST} bytes.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise HTTPException(413, f"The body is over {LARGEST} bytes.")
    return bytes(body)
