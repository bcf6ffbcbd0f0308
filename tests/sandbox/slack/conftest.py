"""A workspace with a few people, and the real SDK pointed at it."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.clock import Clock
from app.sandbox.slack.state.credentials import BOT_TOKEN
from app.sandbox.slack.state.shapes import Channel, User, UserGroup

NOON = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)
"""12:05 in Seoul, where the stand-in's clock stays until it is moved."""


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn(
        users=[
            User(id="U01MINA", name="mina", real_name="Mina Kim", locale="ko-KR"),
            User(id="U02OLU", name="olu", real_name="Olu Ade", tz="Europe/London"),
            User(id="U03GONE", name="gone", real_name="Gone Long", deleted=True),
            User(id="U04GUEST", name="guest", real_name="Guest", is_restricted=True),
            User(id="U05FAR", name="far", real_name="Far Away", is_stranger=True, team_id="T9OTHER"),
        ],
        groups=[UserGroup(id="S0ONCALL", handle="oncall", members=("U01MINA", "U03GONE"))],
        channels=[
            Channel(id="C01DEPLOY", name="deploys"),
            Channel(id="C02ORDER", name="order", is_member=False),
            Channel(id="C03SECRET", name="secret", is_member=False, is_private=True),
            Channel(id="C04OLD", name="old", is_archived=True),
        ],
        clock=Clock(NOON),
    ) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
def client(slack: SlackStandIn, session: ClientSession) -> AsyncWebClient:
    """The SDK, unchanged but for its address and its retries, which would hide what is tested."""
    return AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, session=session, retry_handlers=[])
