"""What Slack did not say, or said too long ago, makes nobody a member; and one look-up a person at a time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web

from app.db.database import Database
from app.db.repositories.memberships import Memberships
from app.gate.ids import UserId
from app.gate.people import AccountStatus
from app.sandbox.people import GRACE, MINA, OLU, ONCALL
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.credentials import BOT_TOKEN
from app.slack.client import web_client
from app.slack.users.directory import Directory
from tests.harness import Harness, TestClock
from tests.slack.play import votes, wait_for_reply

MEMBERS, PERSON = "usergroups.users.list", "users.info"
US = {"user": {"id": "U1", "team_id": "T1"}}


@asynccontextmanager
async def answering(answer: Mapping[str, Any]) -> AsyncIterator[Directory]:
    """A directory whose Slack gives this answer to users.info."""

    async def info(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, **answer})

    slack = web.Application()
    slack.router.add_get("/api/users.info", info)
    runner = web.AppRunner(slack)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        client = web_client(token="xoxb-1", api_url=url, session=session)
        directory = Directory(client, clock=TestClock(), locale="en")
        directory.team = "T1"
        yield directory
    await runner.cleanup()


@pytest.mark.parametrize(
    ("answer", "account_status"),
    [
        ({}, AccountStatus.UNKNOWN),
        ({"user": None}, AccountStatus.UNKNOWN),
        ({"user": {}}, AccountStatus.UNKNOWN),
        ({"user": []}, AccountStatus.UNKNOWN),
        ({"user": "U1"}, AccountStatus.UNKNOWN),
        ({"user": {"id": "U1"}}, AccountStatus.UNKNOWN),
        ({"user": {"id": "U1", "team_id": ""}}, AccountStatus.UNKNOWN),
        ({"user": {"id": "U2", "team_id": "T1"}}, AccountStatus.UNKNOWN),
        ({"user": {"team_id": "T1"}}, AccountStatus.UNKNOWN),
        ({"user": {"id": "U1", "team_id": "T9"}}, AccountStatus.STRANGER),
        ({"user": {"id": "U1", "team_id": "T1", "is_workflow_bot": True}}, AccountStatus.BOT),
        ({"user": {"id": "U1", "team_id": "T1", "is_ultra_restricted": True}}, AccountStatus.GUEST),
        ({"user": {"id": "U1", "team_id": "T1"}}, AccountStatus.MEMBER),
    ],
)
async def test_an_answer_without_a_user_or_a_team_is_no_member(
    answer: Mapping[str, Any], account_status: AccountStatus
) -> None:
    async with answering(answer) as directory:
        assert (await directory.profile(US)).person.account_status is account_status


async def test_before_slack_has_said_who_we_are_nobody_is_a_member() -> None:
    async with answering({"user": {"id": "U1", "team_id": "T1"}}) as directory:
        directory.team = None
        assert (await directory.profile(US)).person.account_status is AccountStatus.UNKNOWN
        directory.team = "T1"
        assert (await directory.profile(US)).person.account_status is AccountStatus.MEMBER


async def test_no_press_counts_before_auth_test_has_answered(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    directory = harness.service.slack.directory
    team, directory.team = directory.team, None
    harness.slack.faults.error("auth.test", "internal_error", times=None)
    await harness.approve(OLU.id, deployment)
    await wait_for_reply(harness, OLU, "couldn't identify you")
    assert votes(harness, deployment) == []
    harness.slack.faults.clear()
    directory.team = team
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_an_old_answer_about_a_person_counts_for_an_hour(harness: Harness) -> None:
    directory = harness.service.slack.directory
    await directory.profile({"user": {"id": OLU.id}})
    harness.slack.faults.error(PERSON, "internal_error", times=None)
    harness.clock.advance(minutes=59)
    assert (await directory.profile({"user": {"id": OLU.id}})).person.account_status is AccountStatus.MEMBER
    harness.clock.advance(minutes=2)
    assert (await directory.profile({"user": {"id": OLU.id}})).person.account_status is AccountStatus.UNKNOWN


async def test_whom_slack_does_not_find_any_more_is_unknown_at_once(harness: Harness) -> None:
    directory = harness.service.slack.directory
    await directory.profile({"user": {"id": OLU.id}})
    harness.clock.advance(minutes=11)
    harness.slack.faults.error(PERSON, "user_not_found", times=None)
    assert (await directory.profile({"user": {"id": OLU.id}})).person.account_status is AccountStatus.UNKNOWN


async def test_an_old_list_of_members_counts_for_an_hour(harness: Harness) -> None:
    directory = harness.service.slack.directory
    harness.slack.faults.error(MEMBERS, "internal_error", times=None)
    assert directory.roster().groups[ONCALL.id] == {MINA.id, OLU.id}
    harness.clock.advance(minutes=59)
    assert ONCALL.id in directory.roster().groups
    harness.clock.advance(minutes=2)
    assert ONCALL.id not in directory.roster().groups


async def test_ten_presses_of_one_person_at_once_cost_one_look_up(harness: Harness) -> None:
    harness.slack.faults.slow(PERSON, 0.3)
    before = len(harness.slack.calls(PERSON))
    directory = harness.service.slack.directory
    found = await asyncio.gather(*(directory.profile({"user": {"id": GRACE.id}}) for _ in range(10)))
    assert {one.person.account_status for one in found} == {AccountStatus.MEMBER}
    assert len(harness.slack.calls(PERSON)) == before + 1


async def test_one_press_that_gives_up_cancels_nobody_elses_look_up(harness: Harness) -> None:
    harness.slack.faults.slow(PERSON, 0.5)
    directory = harness.service.slack.directory
    impatient = asyncio.create_task(directory.profile({"user": {"id": OLU.id}}))
    patient = asyncio.create_task(directory.profile({"user": {"id": OLU.id}}))
    await harness.until(lambda: harness.slack.calls(PERSON))
    impatient.cancel()
    assert (await patient).person.account_status is AccountStatus.MEMBER
    assert len(harness.slack.calls(PERSON)) == 1


@asynccontextmanager
async def two_replicas(
    database: Database,
) -> AsyncIterator[tuple[SlackStandIn, Directory, Directory, TestClock]]:
    """Two directories on one record and one Slack."""
    slack = SlackStandIn(users=[MINA, OLU], groups=[ONCALL])
    slack.start()
    clock = TestClock()
    try:
        async with ClientSession() as session:
            client = web_client(token=BOT_TOKEN, api_url=slack.api_url, session=session)
            one, other = (
                Directory(client, clock=clock, locale="en", repository=Memberships(database))
                for _ in range(2)
            )
            yield slack, one, other, clock
    finally:
        slack.stop()


async def test_what_one_replica_syncs_of_a_group_the_others_know(database: Database) -> None:
    async with two_replicas(database) as (slack, one, other, _):
        await one.refresh_groups([ONCALL.id])
        assert not await other.members.sync(), "the first look is no change"
        assert other.roster() == one.roster()
        assert other.last_synced_at(ONCALL.id) == one.last_synced_at(ONCALL.id)
        slack.people.alter(ONCALL.id, members=(OLU.id,))
        await one.refresh_groups([ONCALL.id])
        assert await other.members.sync()
        assert other.roster().groups == {ONCALL.id: frozenset({UserId(OLU.id)})}
        assert not await other.members.sync()


async def test_while_slack_fails_one_replica_alone_the_two_do_not_disagree(database: Database) -> None:
    async with two_replicas(database) as (slack, one, other, clock):
        for replica in (one, other):
            await replica.refresh_groups([ONCALL.id])
            await replica.members.sync()
        await one.members.sync()
        for _ in range(5):
            clock.advance(minutes=6)
            slack.faults.error(MEMBERS, "internal_error")
            assert not await one.refresh_groups([ONCALL.id])
            assert not await one.members.sync()
            assert not await other.members.sync()
            assert one.last_synced_at(ONCALL.id) == other.last_synced_at(ONCALL.id)
        assert await other.refresh_groups([ONCALL.id])
        await one.members.sync()
        assert one.last_synced_at(ONCALL.id) == other.last_synced_at(ONCALL.id)


async def test_replicas_share_their_calls_and_do_not_each_call(database: Database) -> None:
    async with two_replicas(database) as (slack, one, other, clock):
        period = timedelta(seconds=55)
        for _ in range(3):
            for replica in (one, other):
                await replica.members.keep([ONCALL.id], period=period)
            clock.advance(seconds=60)
        assert len(slack.calls(MEMBERS)) == 3


async def test_a_replica_that_starts_while_slack_is_away_knows_the_groups(database: Database) -> None:
    async with two_replicas(database) as (slack, one, other, _):
        await one.refresh_groups([ONCALL.id])
        slack.faults.error(MEMBERS, "internal_error", times=None)
        await other.members.sync()
        assert other.roster().groups[ONCALL.id] == {MINA.id, OLU.id}
