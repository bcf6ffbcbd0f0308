"""The database does not answer: users are told that nothing was recorded, and nothing was.

If it fails during a commit the outcome is unknown, and nobody is told that nothing was recorded.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.sandbox.people import GRACE, MINA, OLU, config_text
from tests.harness import Harness, text_of
from tests.journeys.undo.test_undo import switched
from tests.logs import captured_logs
from tests.postgres_line import Line, line_to
from tests.slack.play import Build, deploys, opened, press_in, readiness, wait_for_reply
from tests.slow_commits import committing, slow_commits


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    async with line_to(database_url) as whole:
        yield whole
        await whole.mend()


@pytest.fixture
async def cuttable(build: Build, line: Line, database_url: str) -> AsyncIterator[Harness]:
    """A harness whose line to Postgres is `line`."""
    async with build(database_url=line.url) as harness:
        harness.database_url = database_url  # the test itself reads the database directly
        yield harness
        await line.mend()


async def test_a_press_is_answered_in_its_own_language_that_nothing_was_recorded(
    cuttable: Harness, line: Line
) -> None:
    deployment, _ = await cuttable.open_gate("order")
    await line.cut()
    for person, words in ((OLU, "Not recorded"), (MINA, "기록하지 못했습니다")):
        assert (await cuttable.approve(person.id, deployment)).acked
        await wait_for_reply(cuttable, person, words)
    await line.mend()
    assert cuttable.gate(deployment)["phase"] == "awaiting"
    assert cuttable.audit(deployment).count("vote_cast") == 0


async def test_a_press_on_reject_opens_no_form_and_is_answered_with_why(
    cuttable: Harness, line: Line
) -> None:
    deployment, _ = await cuttable.open_gate("order")
    await line.cut()
    assert (await cuttable.press(OLU.id, deployment, "reject")).acked
    await wait_for_reply(cuttable, OLU, "Not recorded")
    assert cuttable.slack.views.top(OLU.id) is None


async def test_the_form_stays_open_with_what_was_typed_and_counts_afterwards(
    cuttable: Harness, line: Line
) -> None:
    deployment, _ = await cuttable.open_gate("order")
    await cuttable.press(OLU.id, deployment, "reject")
    await cuttable.until(lambda: cuttable.slack.views.top(OLU.id))
    form = cuttable.slack.views.top(OLU.id)
    assert form is not None
    await line.cut()
    result = await cuttable.slack.submit_async(OLU.id, form.id, {"reason": "a long story"})
    assert result.outcome == "errors"
    assert "Not recorded" in result.errors["reason"]
    assert "*" not in result.errors["reason"]  # plain text there
    await line.mend()
    again = await cuttable.slack.submit_async(OLU.id, form.id, {"reason": "a long story"})
    assert again.outcome == "closed"
    assert await cuttable.reported(deployment) == ["Failed"]


async def test_a_database_that_hangs_is_no_longer_waited_for_than_slack_waits(
    cuttable: Harness, line: Line
) -> None:
    deployment, _ = await cuttable.open_gate("order")
    line.mute()
    pressed = await cuttable.approve(OLU.id, deployment)
    assert pressed.acked
    assert pressed.ack.seconds < 3
    await wait_for_reply(cuttable, OLU, "Not recorded")
    assert "the list can't be shown" in text_of(await deploys(cuttable))
    await line.mend()


async def test_the_list_says_that_it_cannot_be_had(cuttable: Harness, line: Line) -> None:
    await cuttable.open_gate("order")
    await line.cut()
    assert "Can't reach the database" in text_of(await deploys(cuttable))
    assert "Can't reach the database" in text_of(await deploys(cuttable, words="order"))
    assert "데이터베이스에 연결할 수 없어" in text_of(await deploys(cuttable, MINA))
    assert "How to use" in (await deploys(cuttable, words="help")).text
    rules = text_of(await deploys(cuttable, words="rules order"))
    assert "1 approval needed" in rules
    assert "manual freezes can't be shown" in rules
    assert (await readiness(cuttable))[0] == 503


async def test_a_press_in_the_list_is_answered_the_same(cuttable: Harness, line: Line) -> None:
    await cuttable.open_gate("order")
    listed = await deploys(cuttable)
    await line.cut()
    assert (await press_in(cuttable, listed, OLU, "approve")).acked
    await wait_for_reply(cuttable, OLU, "Not recorded")


@pytest.mark.parametrize("how", ["cut", "muted"])
async def test_where_a_commit_is_on_its_way_nobody_says_that_nothing_was_recorded(
    cuttable: Harness, line: Line, how: str
) -> None:
    deployment, _ = await cuttable.open_gate("order")
    with slow_commits(cuttable.database_url, "votes") as admin:
        pressing = asyncio.create_task(cuttable.approve(OLU.id, deployment))
        await cuttable.until(lambda: committing(admin))
        if how == "cut":
            await line.cut()
        else:
            line.mute()
    pressed = await pressing
    assert pressed.acked
    assert pressed.ack.seconds < 3
    await wait_for_reply(cuttable, OLU, "unclear whether this was recorded")
    await cuttable.until(lambda: cuttable.gate(deployment)["verdict"] == "approved")
    await line.mend()
    assert await cuttable.reported(deployment) == ["Succeeded"]


async def test_a_freeze_that_is_not_recorded_is_reported(cuttable: Harness, line: Line) -> None:
    await line.cut()
    for words in ("freeze order for 1h inventory", "unfreeze order"):
        assert "Nothing changed: can't reach the database" in text_of(
            await deploys(cuttable, GRACE, words=words)
        )
    assert "freezes can't be listed" in text_of(await deploys(cuttable, words="freezes"))
    await line.mend()
    assert cuttable.rows("SELECT id FROM freezes") == []


async def test_a_freeze_whose_commit_is_on_its_way_may_stand(cuttable: Harness, line: Line) -> None:
    with slow_commits(cuttable.database_url, "freezes") as admin:
        saying = asyncio.create_task(deploys(cuttable, GRACE, words="freeze order for 1h inventory"))
        await cuttable.until(lambda: committing(admin))
        await line.cut()
    assert "unclear whether this was recorded" in text_of(await saying)
    await cuttable.until(lambda: cuttable.rows("SELECT id FROM freezes"))
    await line.mend()


async def test_work_after_the_ack_that_misses_the_database_is_not_logged_as_a_failure_of_slack(
    cuttable: Harness, line: Line
) -> None:
    await line.cut()
    with captured_logs() as said:
        cuttable.reload_config()
        await cuttable.until(lambda: "slack_reply_without_database" in said.getvalue())
    assert "slack_reply_failed" not in said.getvalue()


PROBED = 'required_checks = ["order health"]\n[[domains.order.probe]]\nname = "order health"\nurl = "http://127.0.0.1:9/"\n'
SILENT = {"details": "Can't reach the database"}


@pytest.mark.parametrize("action", ["details", "run_checks", "break_glass", "undo"])
async def test_a_database_that_hangs_leaves_no_button_without_an_answer(
    build: Build, line: Line, database_url: str, action: str
) -> None:
    async with build(database_url=line.url, config=config_text(order=PROBED)) as harness:
        harness.database_url = database_url
        deployment = await (switched(harness, "payment") if action == "undo" else opened(harness, "order"))
        await harness.until(lambda: action in harness.actions(deployment))
        line.mute()
        assert (await harness.press(GRACE.id, deployment, action)).acked
        await wait_for_reply(harness, GRACE, SILENT.get(action, "Not recorded"))
        assert harness.slack.views.top(GRACE.id) is None
        await line.mend()
