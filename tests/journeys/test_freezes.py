"""Freezes, as plays: a gate says that it waits, the glass is broken through, the end reminds."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from app.sandbox.cast import CHANNEL, GRACE, MINA, OLU, ONCALL, config_text
from tests.house import House, living_house, text_of
from tests.postgres_line import line_to
from tests.slow_commits import committing, slow_commits

TOKEN = "a-token-of-the-calendar"
TOKENS = {"SWITCHGATE_API_TOKENS": f"calendar:{TOKEN}:freezes+read"}
WEEKEND = '[[freeze]]\nreason = "weekend"\nweekly = "{start} - {end}"\ntime_zone = "UTC"\n\n'
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Build = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def build(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A house; `head` stands before the domains, `order` in order's table."""

    def built(head: str = "", order: str = "") -> AbstractAsyncContextManager[House]:
        config = config_text(order=order).replace("[people]", f"{head}[people]", 1)
        return living_house(tmp_path, record_url, monkeypatch, config=config, environment=TOKENS)

    return built


async def say(house: House, user: str, words: str) -> str:
    """`/deploys words`, and the answer."""
    answered = await house.slack.slash_async(user, CHANNEL.id, "/deploys", words)
    assert answered.message is not None, answered
    return text_of(answered.message)


async def ask(
    house: House, method: str, path: str, body: Any = None, *, about: str = "freezes"
) -> tuple[int, Any]:
    async with (
        ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.request(method, f"{house.url}/api/v1/{about}{path}", json=body) as answer,
    ):
        return answer.status, await answer.json() if answer.status != 204 else None


def replies(house: House, deployment: str) -> list[str]:
    card = house.card(deployment)
    return [text_of(message) for message in house.slack.messages.replies(CHANNEL.id, card.ts)]


async def test_a_freeze_holds_a_waiting_gate_and_its_end_reminds(build: Build) -> None:
    async with build() as house:
        deployment, _ = await house.ask("order")
        other, _ = await house.ask("payment")
        said = await say(house, GRACE.id, "freeze order for 20m payment incident")
        assert "*order* may not be approved until" in said
        await house.until(lambda: "payment incident" in house.says(deployment))
        assert "Not to be approved now" in house.says(deployment)
        assert f"by <@{GRACE.id}>" in house.says(deployment)
        assert "payment incident" not in house.says(other)

        await house.approve(OLU.id, deployment)
        await house.until(lambda: "Frozen until" in house.whispered(OLU.id))
        assert house.gate(deployment)["phase"] == "awaiting"
        await house.approve(OLU.id, other)
        assert await house.told(other) == ["Succeeded"]

        house.clock.advance(minutes=21)
        await house.until(lambda: "Not to be approved now" not in house.says(deployment))

        def reminders() -> list[str]:
            return [text for text in replies(house, deployment) if "The freeze of *order* is over" in text]

        await house.until(reminders)
        (reminder,) = reminders()
        assert f"<!subteam^{ONCALL.id}>" in reminder
        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        kinds = [
            row["kind"]
            for row in house.rows("SELECT kind FROM audit_events WHERE deployment_id = '' ORDER BY link")
        ]
        assert kinds == ["freeze_declared", "freeze_over"]


async def test_an_admin_breaks_the_glass_through_a_freeze(build: Build) -> None:
    async with build() as house:
        await say(house, GRACE.id, "freeze all until 23:59 inventory")
        deployment, _ = await house.ask("order")
        await house.until(lambda: "break_glass" in house.actions(deployment))
        await house.press(GRACE.id, deployment, "break_glass")
        await house.until(lambda: house.slack.views.top(GRACE.id) is not None)
        form = house.slack.views.top(GRACE.id)
        assert form is not None
        assert "inventory" in str(form.body)
        await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: "It was frozen until" in house.says(deployment))
        assert house.gate(deployment)["broken"][0]["rule"] == "frozen"
        assert "approved *against the rules* by" in await say(house, GRACE.id, "order")


async def test_a_freeze_that_comes_while_the_glass_is_being_broken_is_read_first(build: Build) -> None:
    async with build(order='required_checks = ["smoke"]\n') as house:
        deployment, _ = await house.ask("order")
        await house.press(GRACE.id, deployment, "break_glass")
        await house.until(lambda: house.slack.views.top(GRACE.id) is not None)
        form = house.slack.views.top(GRACE.id)
        assert form is not None
        await say(house, GRACE.id, "freeze order for 1h incident")
        again = await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "it is urgent"})
        assert again.outcome == "updated"
        assert again.view is not None
        assert "Another rule is broken now" in str(again.view.body)
        assert "it is urgent" in str(again.view.body)
        assert house.gate(deployment)["phase"] == "awaiting"
        await house.slack.submit_async(GRACE.id, again.view.id, {"glass_reason": "it is urgent"})
        assert await house.told(deployment) == ["Succeeded"]


async def test_rescues_pass_through_a_freeze(build: Build) -> None:
    async with build() as house:
        await say(house, GRACE.id, "freeze all for 2h inventory")
        deployment = house.aws.deploy("order", creator="codeDeployRollback")
        assert await house.told(deployment) == ["Succeeded"]


async def test_the_configuration_freezes_every_week(build: Build) -> None:
    start = datetime.now(UTC) + timedelta(minutes=15)
    end = start + timedelta(days=2)
    times = {name: f"{DAYS[at.weekday()]} {at:%H:%M}" for name, at in (("start", start), ("end", end))}
    async with build(WEEKEND.format(**times)) as house:
        deployment, _ = await house.ask("order")
        assert "Not to be approved now" not in house.says(deployment)
        assert "weekend" not in await say(house, OLU.id, "freezes")
        house.clock.advance(minutes=15)
        await house.until(lambda: "Frozen until" in house.says(deployment))
        assert "by the configuration: weekend" in house.says(deployment)
        assert "weekend" in await say(house, OLU.id, "freezes")
        assert "Goes on for all domains: " in await say(house, GRACE.id, "unfreeze all")
        goes_on = await say(house, GRACE.id, "unfreeze order")
        assert "Goes on for *order*: " in goes_on
        assert "It stands in the configuration and is lifted there." in goes_on
        assert "unfreeze all" not in goes_on
        await house.approve(OLU.id, deployment)
        assert house.gate(deployment)["phase"] == "awaiting"


async def test_who_may_freeze_and_what_is_refused(build: Build) -> None:
    async with build() as house:
        assert f"Only admins freeze and unfreeze: <@{GRACE.id}>" in await say(
            house, OLU.id, "freeze all for 1h x"
        )
        for words, said in (
            ("freeze order until 25:00 x", "“25:00” is no time"),
            ("freeze ordr until 18:00 x", "ordr (did you mean order?)"),
            ("freeze warehouse until 18:00 x", "These are no configured domains: warehouse"),
            (
                "freeze order until 18:00",
                "Please say why, after the time: people will ask. Nothing was frozen.",
            ),
            ("freeze order from 2126-12-26 until 2126-12-25 x", "It would end before it begins"),
            ("freeze order until 2020-01-01 x", "It would be over already"),
            ("freeze order for 400d x", "more than a year"),
            ("freeze order until 18:00 for 2h x", "Please give one end"),
            ("freeze order for 2h from tomorrow x", "“tomorrow” is no time"),
            ("freeze until 18:00 x", "Write `/deploys freeze order until 18:00"),
            ("freeze", "Write `/deploys freeze order until 18:00"),
            ("freeze order", "Write `/deploys freeze order until 18:00"),
            ("unfreeze", "Write `/deploys unfreeze order`"),
            ("unfreeze ordr", "did you mean order?"),
            ("unfreeze order", "Nothing of that is frozen"),
        ):
            assert said in await say(house, GRACE.id, words), words
        assert house.rows("SELECT * FROM freezes") == []


async def test_overlapping_freezes_all_stand_and_the_last_end_counts(build: Build) -> None:
    async with build() as house:
        await say(house, GRACE.id, "freeze order,payment for 2h incident")
        said = await say(house, GRACE.id, "freeze order for 1h <!channel> audit")
        assert "Beside it these stand" in said
        assert "• *order*, *payment*: " in said, "of whom each of them is"
        assert "incident" in said
        assert "<!channel>" not in said
        lifted = await say(house, GRACE.id, "unfreeze order")
        assert lifted.count("Lifted for *order*: ") >= 2
        assert ":snowflake: It goes on for *payment*." in lifted
        rows = house.rows("SELECT domains, over_at IS NULL AS stands FROM freezes ORDER BY id")
        assert [(row["domains"], row["stands"]) for row in rows] == [(["payment"], True), (["order"], False)]
        await say(house, GRACE.id, "freeze all for 1h inventory")
        goes_on = await say(house, GRACE.id, "unfreeze order")
        assert "Goes on for all domains: " in goes_on
        assert "unfreeze all` lifts it, and with it every freeze" in goes_on
        all_lifted = await say(house, GRACE.id, "unfreeze all")
        assert "Lifted for *payment*: " in all_lifted
        assert "Lifted for all domains: " in all_lifted
        assert house.rows("SELECT * FROM freezes WHERE over_at IS NULL") == []


async def test_what_is_only_planned_does_not_go_on(build: Build) -> None:
    async with build() as house:
        await say(house, GRACE.id, "freeze all from 2126-12-24 for 2h holiday")
        planned = await say(house, GRACE.id, "unfreeze order")
        assert "Nothing of *order* is frozen now." in planned
        assert ":calendar: Planned for all domains: " in planned
        assert "Goes on" not in planned
        await say(house, GRACE.id, "freeze order payment from 2126-12-31 for 2h fireworks")
        partly = await say(house, GRACE.id, "unfreeze order")
        assert "Lifted for *order*: " in partly
        assert "It stays planned for *payment*." in partly
        assert "oes on" not in partly
        await say(house, GRACE.id, "freeze order for 1h incident")
        lifted = await say(house, GRACE.id, "unfreeze order,hub")
        assert "Lifted for *order*: " in lifted
        assert "Nothing of *order*, *hub* is frozen now." in lifted


async def test_a_planned_freeze_begins_by_itself(build: Build) -> None:
    async with build() as house:
        deployment, _ = await house.ask("order")
        now = house.clock()
        start = now + timedelta(minutes=10)
        status, answer = await ask(
            house,
            "POST",
            "",
            {
                "domains": ["order"],
                "from": start.isoformat(),
                "until": (start + timedelta(minutes=10)).isoformat(),
                "reason": "release of the app",
            },
        )
        assert (status, answer["by"]) == (201, "api:calendar")
        assert "Not to be approved now" not in house.says(deployment)
        house.clock.advance(minutes=11)
        await house.until(lambda: "release of the app" in house.says(deployment))
        assert "by api:calendar" in house.says(deployment)
        # A card may show the freeze before the clock's loop has noted it.
        await house.until(lambda: house.rows("SELECT 1 FROM rule_marks WHERE frozen"))
        house.clock.advance(minutes=10)
        await house.until(lambda: "Not to be approved now" not in house.says(deployment))


async def test_a_domains_trail_tells_of_every_freeze_that_held_it(build: Build) -> None:
    async with build() as house:
        for words in (
            "freeze order for 1h x",
            "freeze order payment for 1h x",
            "freeze all for 20m x",
            "unfreeze order hub",
        ):
            await say(house, GRACE.id, words)
        house.clock.advance(minutes=21)
        await house.until(lambda: house.rows("SELECT 1 FROM audit_events WHERE kind = 'freeze_over'"))
        everything = [
            ("freeze_over", None, "all"),
            ("freeze_lifted", "order", "order"),
            ("freeze_lifted", "order", "order"),
            ("freeze_declared", None, "all"),
            ("freeze_declared", None, "order payment"),
            ("freeze_declared", "order", "order"),
        ]
        for domain, told in (
            ("order", everything),
            ("payment", [everything[place] for place in (0, 3, 4)]),
            ("hub", [everything[place] for place in (0, 3)]),
        ):
            _, answer = await ask(house, "GET", f"?domain={domain}", about="audit")
            found = [(each["kind"], each["domain"], each["detail"]["domains"]) for each in answer["items"]]
            assert found == told, domain


async def test_the_end_may_be_said_before_the_beginning(build: Build) -> None:
    async with build() as house:
        deployment, _ = await house.ask("order")
        tomorrow = f"{house.clock() + timedelta(days=1):%Y-%m-%d}"
        said = await say(house, GRACE.id, f"freeze order for 2h from {tomorrow} 18:00 release")
        assert "*order* may not be approved from" in said
        (frozen,) = house.rows("SELECT starts_at, ends_at, reason FROM freezes")
        assert frozen["starts_at"] > house.clock()
        assert frozen["ends_at"] - frozen["starts_at"] == timedelta(hours=2)
        assert frozen["reason"] == "release"
        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


async def test_freezes_over_the_api(build: Build) -> None:
    async with build() as house:
        until = (house.clock() + timedelta(hours=1)).isoformat()
        for body, said in (
            ({"until": until, "reason": " "}, "reason: say why"),
            ({"domains": ["warehouse"], "until": until, "reason": "x"}, "domains: not configured: warehouse"),
            ({"until": "2020-01-01T00:00:00Z", "reason": "x"}, "until: is over already"),
            (
                {"until": "2030-01-01T00:00:00", "reason": "x"},
                "until: has no zone. Write a time with its zone. For example",
            ),
            ({"from": until, "until": until, "reason": "x"}, "until: is not after from"),
            ({"until": "25:00", "reason": "x"}, "until: is no time. Write a time with its zone. For example"),
            ({"until": [], "reason": "x"}, "until: is no time."),
            ({"until": until, "from": True, "reason": "x"}, "from: is no time."),
            ({"until": "2026-13-01T00:00Z", "reason": "x"}, "until: is no time."),
            ({"until": until, "reason": 7}, "reason: is no text. Say why, in a sentence."),
            ({"domains": "order", "until": until, "reason": "x"}, "domains: is no list. Write the names"),
            (
                {"domains": ["order", 5, 6], "until": until, "reason": "x"},
                "domains: entry 2 is no text. Write the names of domains, or leave it out for all of them. "
                'For example ["order", "payment"]',
            ),
            (
                {"domains": [], "until": until, "reason": "x"},
                "domains: is empty. Write the names of domains, or leave it",
            ),
            ({"until": until}, "reason: is missing. Say why, in a sentence."),
            ({"til": until, "until": until, "reason": "x"}, "til: no such field here. Known: domains, from,"),
            ([], "body: is no JSON object of these fields. Known: domains, from, until, reason"),
        ):
            status, answer = await ask(house, "POST", "", body)
            assert (status, said in answer["detail"]) == (422, True), answer
            assert answer["detail"].count("domains:") <= 1
        _, made = await ask(house, "POST", "", {"until": until, "reason": "inventory"})
        _, listed = await ask(house, "GET", "")
        assert [(each["id"], each["domains"]) for each in listed["items"]] == [(made["id"], None)]
        assert (await ask(house, "DELETE", f"/{made['id']}"))[0] == 204
        assert (await ask(house, "DELETE", f"/{made['id']}"))[0] == 404
        assert (await ask(house, "GET", ""))[1] == {"items": []}


async def test_what_the_rules_say_in_words(build: Build) -> None:
    async with build(order='approvals = 2\nrequired_checks = ["smoke"]\n') as house:
        rules = await say(house, OLU.id, "rules order")
        assert "2 different people have to approve" in rules
        assert "These checks have to pass first: “smoke”." in rules
        who = await say(house, MINA.id, "who order")
        assert f"<!subteam^{ONCALL.id}>: <@{MINA.id}>, <@{OLU.id}>" in who
        assert f"관리자는 비상 승인을 할 수 있습니다: <@{GRACE.id}>" in who


async def test_the_rules_tell_of_a_freeze_that_somebody_declared(build: Build) -> None:
    async with build() as house:
        await say(house, GRACE.id, "freeze order for 1h payment incident")
        for words in ("who order", "rules Order"):
            assert f"by <@{GRACE.id}>: payment incident" in await say(house, OLU.id, words)
        assert "payment incident" not in await say(house, OLU.id, "rules payment")


async def test_who_may_decide_says_where_that_depends_on_how_traffic_moves(build: Build) -> None:
    when = 'when = [{ name = "no canary", shift = ["all-at-once"], approvals = 2 }]\n'
    async with build(order=when) as house:
        assert "for some ways of moving traffic: `/deploys rules order`" in await say(
            house, OLU.id, "who order"
        )
        assert "for some ways of moving traffic" not in await say(house, OLU.id, "who payment")


async def test_rules_of_a_domain_that_is_not_there_say_which_was_meant(build: Build) -> None:
    async with build() as house:
        assert "I do not know these domains: ordr (did you mean order?)." in await say(
            house, OLU.id, "who ordr"
        )
        assert "with one domain" in await say(house, OLU.id, "rules")
        assert "도메인 하나를" in await say(house, MINA.id, "rules order payment")


async def test_a_member_who_left_may_not_decide_and_slacks_silence_is_told(build: Build) -> None:
    async with build() as house:
        deployment, _ = await house.ask("order")
        house.slack.people.alter(ONCALL.id, members=(MINA.id,))
        await house.service.slack.directory.refresh_groups([ONCALL.id])
        await house.approve(OLU.id, deployment)
        await house.until(lambda: "is decided by" in house.whispered(OLU.id))

        house.slack.faults.error("usergroups.users.list", "internal_error", times=None)
        house.clock.advance(minutes=6)
        await house.until(
            lambda: (
                f"The members of <!subteam^{ONCALL.id}> are those that Slack told" in house.says(deployment)
            )
        )
        assert "has not answered since" in await say(house, OLU.id, "who order")
        await house.approve(OLU.id, deployment)
        assert house.gate(deployment)["phase"] == "awaiting"
        await house.approve(MINA.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]


async def test_whoever_declares_a_freeze_by_the_api_hears_that_it_may_stand(
    tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        line_to(record_url) as line,
        living_house(tmp_path, line.url, monkeypatch, environment=TOKENS) as house,
    ):
        house.database_url = record_url
        body = {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(), "reason": "inventory"}
        with slow_commits(record_url, "freezes") as admin:
            declaring = asyncio.create_task(ask(house, "POST", "", body))
            await house.until(lambda: committing(admin))
            await line.cut()
        status, answer = await declaring
        assert (status, answer["error"]) == (503, "in_doubt")
        await house.until(lambda: house.rows("SELECT id FROM freezes"))
        assert (await ask(house, "POST", "", body))[1]["error"] == "try_again"
        await line.mend()
