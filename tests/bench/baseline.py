"""The baseline: FastAPI and one committed INSERT, on the same Postgres, by the same driver. A process of its own."""

import json
import sys

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.engine import sqlalchemy_url

CONNECTIONS = 20
INSERT = text("INSERT INTO baseline (body) VALUES (:body)")


def build(url: str) -> FastAPI:
    """One endpoint that stores its request body."""
    engine = create_async_engine(sqlalchemy_url(url), pool_size=CONNECTIONS)
    http = FastAPI()

    @http.post("/baseline")
    async def keep(request: Request) -> JSONResponse:
        body = await request.json()
        async with engine.begin() as connection:
            await connection.execute(INSERT, {"body": json.dumps(body)})
        return JSONResponse({"kept": True}, 202)

    return http


if __name__ == "__main__":
    uvicorn.run(
        build(sys.argv[1]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_config=None,
        access_log=False,
        ws="none",
    )
