"""Accounts and group members: read seldom, kept while Slack is unavailable."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, web

from app.gate.people import AccountStatus
from app.sandbox.people import JUN, MINA, OLU
from app.slack.client import web_client
from app.slack.users.directory import Directory
from tests.harness import Harness, TestClock
from tests.slack.play import wait_for_replies, wait_for_reply

MEMBERS, PERSON = "usergroups.users.list", "users.info"


def asked(harness: Harness, method: str) -> int:
    return len(harness.slack.calls(method))


async def test_the_members_are_kept_while_slack_fails(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    for error in ("internal_error", "missing_scope", "paid_teams_only"):
        harness.slack.faults.error(MEMBERS, error)
        assert not await harness.service.slack.directory.refresh_groups(["S0ONCALL"])
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_group_that_slack_says_is_gone_has_nobody_in_it(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error(MEMBERS, "no_such_subteam", times=None)
    assert await harness.service.slack.directory.refresh_groups(["S0ONCALL"])
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "You can't approve or reject")
    assert harness.gate(deployment)["phase"] == "awaiting"


async def test_the_first_press_after_the_start_finds_the_members_there(harness: Harness) -> None:
    assert harness.service.slack.directory.roster().groups["S0ONCALL"] == {MINA.id, OLU.id}


async def test_members_are_not_asked_for_before_slack_wants_to_be_asked(harness: Harness) -> None:
    harness.slack.faults.ratelimit(MEMBERS, retry_after=60)
    directory = harness.service.slack.directory
    assert not await directory.refresh_groups(["S0ONCALL"])
    before = asked(harness, MEMBERS)
    assert not await directory.refresh_groups(["S0ONCALL"])
    assert asked(harness, MEMBERS) == before
    harness.clock.advance(seconds=61)
    assert await directory.refresh_groups(["S0ONCALL"])


async def test_a_person_is_asked_about_once_in_ten_minutes(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    for _ in range(2):
        await harness.approve(JUN.id, deployment)
    await wait_for_replies(harness, JUN, 1)
    assert asked(harness, PERSON) == 1
    harness.clock.advance(minutes=11)
    await harness.approve(JUN.id, deployment)
    await harness.until(lambda: asked(harness, PERSON) == 2)


async def test_an_old_copy_of_a_person_is_better_than_none(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.service.slack.directory.profile({"user": {"id": OLU.id}})
    harness.clock.advance(minutes=11)
    harness.slack.faults.error(PERSON, "internal_error", times=None)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_whom_slack_has_never_named_decides_nothing(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error(PERSON, "internal_error", times=None)
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "couldn't identify you")
    await harness.press(MINA.id, deployment, "reject")
    await wait_for_reply(harness, MINA, "couldn't identify you")
    assert harness.gate(deployment)["phase"] == "awaiting"


@asynccontextmanager
async def directory_of(*users: Mapping[str, Any]) -> AsyncIterator[Directory]:
    """A directory of our own Enterprise Grid, whose workspaces and people are these."""

    async def info(request: web.Request) -> web.Response:
        found = next((user for user in users if user["id"] == request.query["user"]), None)
        answer = {"ok": True, "user": found} if found else {"ok": False, "error": "user_not_found"}
        return web.json_response(answer)

    slack = web.Application()
    slack.router.add_get("/api/users.info", info)
    runner = web.AppRunner(slack)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        directory = Directory(
            web_client(token="xoxb-1", api_url=url, session=session), clock=TestClock(), locale="en"
        )
        directory.team, directory.enterprise = "T1", "E1"
        yield directory
    await runner.cleanup()


@pytest.mark.parametrize(
    ("user", "account_status"),
    [
        ({"id": "W1", "team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, AccountStatus.MEMBER),
        ({"id": "W1", "team_id": "T9", "enterprise_user": {"enterprise_id": "E9"}}, AccountStatus.STRANGER),
        (
            {"id": "W1", "profile": None, "tz": None, "enterprise_user": {"enterprise_id": "E1"}},
            AccountStatus.MEMBER,
        ),
        ({"id": "W1", "team_id": "T9"}, AccountStatus.STRANGER),
        (
            {"id": "W1", "deleted": True, "enterprise_user": {"enterprise_id": "E1"}},
            AccountStatus.DEACTIVATED,
        ),
        ({"id": "other"}, AccountStatus.UNKNOWN),
    ],
)
async def test_the_workspaces_of_one_grid_are_one(
    user: Mapping[str, Any], account_status: AccountStatus
) -> None:
    async with directory_of(user) as directory:
        profile = await directory.profile({"user": {"id": "W1", "team_id": "T2", "username": "kim"}})
    assert profile.person.account_status is account_status
