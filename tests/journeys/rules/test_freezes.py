"""Freezes: the card shows the blocker, break-glass overrides it, and its end is announced."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from app.sandbox.people import CHANNEL, GRACE, MINA, OLU, ONCALL, config_text
from tests.harness import Harness, running_harness, text_of
from tests.postgres_line import line_to
from tests.slow_commits import committing, slow_commits

TOKEN = "a-token-of-the-calendar"
TOKENS = {"SWITCHGATE_API_TOKENS": f"calendar:{TOKEN}:freezes+read"}
WEEKEND = '[[freeze]]\nreason = "weekend"\nweekly = "{start} - {end}"\ntime_zone = "UTC"\n\n'
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Build = Callable[..., AbstractAsyncContextManager[Harness]]


@pytest.fixture
def build(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A harness; `head` comes before the domains, `order` goes into order's table."""

    def built(head: str = "", order: str = "") -> AbstractAsyncContextManager[Harness]:
        config = config_text(order=order).replace("[people]", f"{head}[people]", 1)
        return running_harness(tmp_path, database_url, monkeypatch, config=config, environment=TOKENS)

    return built


async def say(harness: Harness, user: str, words: str) -> str:
    """`/deploys words`, and the answer."""
    answered = await harness.slack.slash_async(user, CHANNEL.id, "/deploys", words)
    assert answered.message is not None, answered
    return text_of(answered.message)


async def ask(
    harness: Harness, method: str, path: str, body: Any = None, *, about: str = "freezes"
) -> tuple[int, Any]:
    async with (
        ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
        session.request(method, f"{harness.url}/api/v1/{about}{path}", json=body) as answer,
    ):
        return answer.status, await answer.json() if answer.status != 204 else None


def replies(harness: Harness, deployment: str) -> list[str]:
    card = harness.card(deployment)
    return [text_of(message) for message in harness.slack.messages.replies(CHANNEL.id, card.ts)]


async def test_a_freeze_holds_a_waiting_gate_and_its_end_reminds(build: Build) -> None:
    async with build() as harness:
        deployment, _ = await harness.open_gate("order")
        other, _ = await harness.open_gate("payment")
        said = await say(harness, GRACE.id, "freeze order for 20m payment incident")
        assert "Frozen until" in said
        await harness.until(lambda: "payment incident" in harness.card_text(deployment))
        assert ": blocked" in harness.card_text(deployment)
        assert f"by <@{GRACE.id}>" in harness.card_text(deployment)
        assert "payment incident" not in harness.card_text(other)

        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: "Frozen until" in harness.ephemerals(OLU.id))
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.approve(OLU.id, other)
        assert await harness.reported(other) == ["Succeeded"]

        harness.clock.advance(minutes=21)
        await harness.until(lambda: ": blocked" not in harness.card_text(deployment))

        def reminders() -> list[str]:
            said = map(text_of, harness.slack.messages.in_channel(CHANNEL.id))
            return [text for text in said if "The freeze of *order* has ended" in text]

        await harness.until(reminders)
        (reminder,) = reminders()
        assert f"<!subteam^{ONCALL.id}>" in reminder
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        kinds = [
            row["kind"]
            for row in harness.rows("SELECT kind FROM audit_events WHERE deployment_id = '' ORDER BY seq")
        ]
        assert kinds == ["freeze_declared", "freeze_ended"]


async def test_an_admin_uses_break_glass_during_a_freeze(build: Build) -> None:
    async with build() as harness:
        await say(harness, GRACE.id, "freeze all until 23:59 inventory")
        deployment, _ = await harness.open_gate("order")
        await harness.until(lambda: "break_glass" in harness.actions(deployment))
        await harness.press(GRACE.id, deployment, "break_glass")
        await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
        form = harness.slack.views.top(GRACE.id)
        assert form is not None
        assert "inventory" in str(form.body)
        await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: "Frozen until" in harness.card_text(deployment))
        assert harness.gate(deployment)["overridden_rules"][0]["rule"] == "frozen"
        assert "*break glass* by" in await say(harness, GRACE.id, "order")


async def test_a_freeze_declared_during_break_glass_is_read_first(build: Build) -> None:
    async with build(order='required_checks = ["smoke"]\n') as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.press(GRACE.id, deployment, "break_glass")
        await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
        form = harness.slack.views.top(GRACE.id)
        assert form is not None
        await say(harness, GRACE.id, "freeze order for 1h incident")
        again = await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "it is urgent"})
        assert again.outcome == "updated"
        assert again.view is not None
        assert "The overridden rules have changed" in str(again.view.body)
        assert "it is urgent" in str(again.view.body)
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.slack.submit_async(GRACE.id, again.view.id, {"glass_reason": "it is urgent"})
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_auto_rollbacks_pass_through_a_freeze(build: Build) -> None:
    async with build() as harness:
        await say(harness, GRACE.id, "freeze all for 2h inventory")
        deployment = harness.aws.deploy("order", creator="codeDeployRollback")
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_the_configuration_freezes_every_week(build: Build) -> None:
    start = datetime.now(UTC) + timedelta(minutes=15)
    end = start + timedelta(days=2)
    times = {name: f"{DAYS[at.weekday()]} {at:%H:%M}" for name, at in (("start", start), ("end", end))}
    async with build(WEEKEND.format(**times)) as harness:
        deployment, _ = await harness.open_gate("order")
        assert ": blocked" not in harness.card_text(deployment)
        assert "weekend" not in await say(harness, OLU.id, "freezes")
        harness.clock.advance(minutes=15)
        await harness.until(lambda: "Frozen until" in harness.card_text(deployment))
        assert "by the configuration: weekend" in harness.card_text(deployment)
        assert "weekend" in await say(harness, OLU.id, "freezes")
        assert "Still frozen (all domains): " in await say(harness, GRACE.id, "unfreeze all")
        goes_on = await say(harness, GRACE.id, "unfreeze order")
        assert "Still frozen (*order*): " in goes_on
        assert "It is set in the configuration file; change it there." in goes_on
        assert "unfreeze all" not in goes_on
        await harness.approve(OLU.id, deployment)
        assert harness.gate(deployment)["phase"] == "awaiting"


async def test_who_may_freeze_and_what_is_refused(build: Build) -> None:
    async with build() as harness:
        assert f"Only admins can freeze and unfreeze: <@{GRACE.id}>" in await say(
            harness, OLU.id, "freeze all for 1h x"
        )
        for words, said in (
            ("freeze order until 25:00 x", "Can't read “25:00” as a time"),
            ("freeze ordr until 18:00 x", "ordr (did you mean order?)"),
            ("freeze warehouse until 18:00 x", "Unknown domains: warehouse"),
            (
                "freeze order until 18:00",
                "Add a reason after the time. Nothing was frozen.",
            ),
            ("freeze order from 2126-12-26 until 2126-12-25 x", "That ends before it starts"),
            ("freeze order until 2020-01-01 x", "That is already over"),
            ("freeze order for 400d x", "longer than a year"),
            ("freeze order until 18:00 for 2h x", "Give one end"),
            ("freeze order for 2h from tomorrow x", "Can't read “tomorrow” as a time"),
            ("freeze until 18:00 x", "Usage: `/deploys freeze order until 18:00"),
            ("freeze", "Usage: `/deploys freeze order until 18:00"),
            ("freeze order", "Usage: `/deploys freeze order until 18:00"),
            ("unfreeze", "Usage: `/deploys unfreeze order`"),
            ("unfreeze ordr", "did you mean order?"),
            ("unfreeze order", "Nothing to unfreeze"),
        ):
            assert said in await say(harness, GRACE.id, words), words
        assert harness.rows("SELECT * FROM freezes") == []


async def test_overlapping_freezes_all_stand_and_the_last_end_counts(build: Build) -> None:
    async with build() as harness:
        await say(harness, GRACE.id, "freeze order,payment for 2h incident")
        said = await say(harness, GRACE.id, "freeze order for 1h <!channel> audit")
        assert "Other freezes also apply" in said
        assert "• *order*, *payment*: " in said, "of whom each of them is"
        assert "incident" in said
        assert "<!channel>" not in said
        lifted = await say(harness, GRACE.id, "unfreeze order")
        assert lifted.count("Unfrozen *order*: ") >= 2
        assert ":snowflake: Still frozen: *payment*." in lifted
        rows = harness.rows("SELECT domains, ended_at IS NULL AS stands FROM freezes ORDER BY id")
        assert [(row["domains"], row["stands"]) for row in rows] == [(["payment"], True), (["order"], False)]
        await say(harness, GRACE.id, "freeze all for 1h inventory")
        goes_on = await say(harness, GRACE.id, "unfreeze order")
        assert "Still frozen (all domains): " in goes_on
        assert "unfreeze all` removes it along with every other manual freeze" in goes_on
        all_lifted = await say(harness, GRACE.id, "unfreeze all")
        assert "Unfrozen *payment*: " in all_lifted
        assert "Unfrozen all domains: " in all_lifted
        assert harness.rows("SELECT * FROM freezes WHERE ended_at IS NULL") == []


async def test_what_is_only_planned_does_not_go_on(build: Build) -> None:
    async with build() as harness:
        await say(harness, GRACE.id, "freeze all from 2126-12-24 for 2h holiday")
        planned = await say(harness, GRACE.id, "unfreeze order")
        assert "Not frozen now: *order*." in planned
        assert ":calendar: Scheduled for all domains: " in planned
        assert "Still frozen" not in planned
        await say(harness, GRACE.id, "freeze order payment from 2126-12-31 for 2h fireworks")
        partly = await say(harness, GRACE.id, "unfreeze order")
        assert "Unfrozen *order*: " in partly
        assert "Still scheduled for *payment*." in partly
        assert "till frozen" not in partly
        await say(harness, GRACE.id, "freeze order for 1h incident")
        lifted = await say(harness, GRACE.id, "unfreeze order,hub")
        assert "Unfrozen *order*: " in lifted
        assert "Not frozen now: *order*, *hub*." in lifted


async def test_a_planned_freeze_begins_by_itself(build: Build) -> None:
    async with build() as harness:
        deployment, _ = await harness.open_gate("order")
        now = harness.clock()
        start = now + timedelta(minutes=10)
        status, answer = await ask(
            harness,
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
        assert ": blocked" not in harness.card_text(deployment)
        harness.clock.advance(minutes=11)
        await harness.until(lambda: "release of the app" in harness.card_text(deployment))
        assert "by api:calendar" in harness.card_text(deployment)
        # A card may show the freeze before the clock's loop has noted it.
        await harness.until(lambda: harness.rows("SELECT 1 FROM gate_rule_snapshots WHERE frozen"))
        harness.clock.advance(minutes=10)
        await harness.until(lambda: ": blocked" not in harness.card_text(deployment))


async def test_a_domains_audit_trail_has_every_freeze_that_blocked_it(build: Build) -> None:
    async with build() as harness:
        for words in (
            "freeze order for 1h x",
            "freeze order payment for 1h x",
            "freeze all for 20m x",
            "unfreeze order hub",
        ):
            await say(harness, GRACE.id, words)
        harness.clock.advance(minutes=21)
        await harness.until(lambda: harness.rows("SELECT 1 FROM audit_events WHERE kind = 'freeze_ended'"))
        everything = [
            ("freeze_ended", None, "all"),
            ("freeze_lifted", "order", "order"),
            ("freeze_lifted", "order", "order"),
            ("freeze_declared", None, "all"),
            ("freeze_declared", None, "order payment"),
            ("freeze_declared", "order", "order"),
        ]
        for domain, expected in (
            ("order", everything),
            ("payment", [everything[place] for place in (0, 3, 4)]),
            ("hub", [everything[place] for place in (0, 3)]),
        ):
            _, answer = await ask(harness, "GET", f"?domain={domain}", about="audit")
            found = [(each["kind"], each["domain"], each["detail"]["domains"]) for each in answer["items"]]
            assert found == expected, domain


async def test_the_end_may_come_before_the_beginning(build: Build) -> None:
    async with build() as harness:
        deployment, _ = await harness.open_gate("order")
        tomorrow = f"{harness.clock() + timedelta(days=1):%Y-%m-%d}"
        said = await say(harness, GRACE.id, f"freeze order for 2h from {tomorrow} 18:00 release")
        assert "Freeze scheduled" in said
        (frozen,) = harness.rows("SELECT starts_at, ends_at, reason FROM freezes")
        assert frozen["starts_at"] > harness.clock()
        assert frozen["ends_at"] - frozen["starts_at"] == timedelta(hours=2)
        assert frozen["reason"] == "release"
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_freezes_over_the_api(build: Build) -> None:
    async with build() as harness:
        until = (harness.clock() + timedelta(hours=1)).isoformat()
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
            status, answer = await ask(harness, "POST", "", body)
            assert (status, said in answer["detail"]) == (422, True), answer
            assert answer["detail"].count("domains:") <= 1
        _, made = await ask(harness, "POST", "", {"until": until, "reason": "inventory"})
        _, listed = await ask(harness, "GET", "")
        assert [(each["id"], each["domains"]) for each in listed["items"]] == [(made["id"], None)]
        assert (await ask(harness, "DELETE", f"/{made['id']}"))[0] == 204
        assert (await ask(harness, "DELETE", f"/{made['id']}"))[0] == 404
        assert (await ask(harness, "GET", ""))[1] == {"items": []}


async def test_what_the_rules_say_in_words(build: Build) -> None:
    async with build(order='approvals = 2\nrequired_checks = ["smoke"]\n') as harness:
        rules = await say(harness, OLU.id, "rules order")
        assert "2 approvals by different people needed" in rules
        assert "Required checks: “smoke”." in rules
        who = await say(harness, MINA.id, "who order")
        assert f"<!subteam^{ONCALL.id}>: <@{MINA.id}>, <@{OLU.id}>" in who
        assert f"비상 승인 가능 (관리자): <@{GRACE.id}>" in who


async def test_the_rules_show_a_freeze_that_somebody_declared(build: Build) -> None:
    async with build() as harness:
        await say(harness, GRACE.id, "freeze order for 1h payment incident")
        for words in ("who order", "rules Order"):
            assert f"by <@{GRACE.id}>: payment incident" in await say(harness, OLU.id, words)
        assert "payment incident" not in await say(harness, OLU.id, "rules payment")


async def test_who_may_decide_says_where_that_depends_on_how_traffic_moves(build: Build) -> None:
    when = 'when = [{ name = "no canary", shift = ["all-at-once"], approvals = 2 }]\n'
    async with build(order=when) as harness:
        assert "by rollout type: see `/deploys rules order`" in await say(harness, OLU.id, "who order")
        assert "by rollout type" not in await say(harness, OLU.id, "who payment")


async def test_rules_of_a_domain_that_is_not_there_say_which_was_meant(build: Build) -> None:
    async with build() as harness:
        assert "Unknown domains: ordr (did you mean order?)." in await say(harness, OLU.id, "who ordr")
        assert "(one domain)" in await say(harness, OLU.id, "rules")
        assert "(도메인 하나)" in await say(harness, MINA.id, "rules order payment")


async def test_a_member_who_left_may_not_decide_and_slacks_silence_is_shown(build: Build) -> None:
    async with build() as harness:
        deployment, _ = await harness.open_gate("order")
        harness.slack.people.alter(ONCALL.id, members=(MINA.id,))
        await harness.service.slack.directory.refresh_groups([ONCALL.id])
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: "Approvers:" in harness.ephemerals(OLU.id))

        harness.slack.faults.error("usergroups.users.list", "internal_error", times=None)
        harness.clock.advance(minutes=6)
        await harness.until(
            lambda: f"Members of <!subteam^{ONCALL.id}> as of" in harness.card_text(deployment)
        )
        assert "hasn't responded since" in await say(harness, OLU.id, "who order")
        await harness.approve(OLU.id, deployment)
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_whoever_declares_a_freeze_by_the_api_is_told_that_it_may_be_in_force(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        line_to(database_url) as line,
        running_harness(tmp_path, line.url, monkeypatch, environment=TOKENS) as harness,
    ):
        harness.database_url = database_url  # the test itself looks past the line
        body = {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(), "reason": "inventory"}
        with slow_commits(database_url, "freezes") as admin:
            declaring = asyncio.create_task(ask(harness, "POST", "", body))
            await harness.until(lambda: committing(admin))
            await line.cut()
        status, answer = await declaring
        assert (status, answer["error"]) == (503, "in_doubt")
        await harness.until(lambda: harness.rows("SELECT id FROM freezes"))
        assert (await ask(harness, "POST", "", body))[1]["error"] == "try_again"
        await line.mend()
