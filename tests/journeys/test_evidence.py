"""Evidence: the card first, then changes and the health of green, and why a part is missing."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.sandbox.aws.faults import Kind
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, SandboxDomain
from app.sandbox.people import MINA, OLU
from tests.flow import outsiders
from tests.harness import Harness, running_harness


async def evidence(harness: Harness, deployment: str, words: str) -> str:
    """The card, once it says `words`."""
    await harness.until(lambda: words in harness.card_text(deployment))
    return harness.card_text(deployment)


async def details(harness: Harness, user: str, deployment: str) -> str:
    """Somebody presses Details: all that the modal says."""
    await harness.press(user, deployment, "details")
    await harness.until(lambda: harness.slack.views.top(user) is not None)
    view = harness.slack.views.top(user)
    assert view is not None
    return "\n".join(texts_of(view.body))


def texts_of(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [text for value in part.values() for text in texts_of(value)]
    return [text for item in part for text in texts_of(item)] if isinstance(part, list) else []


async def test_one_image_that_changes_is_read_at_a_glance_with_its_commits(harness: Harness) -> None:
    harness.aws.register_revision("order", "1.41.1", tags={"git-repo": "klp/order", "github-run": "991"})
    deployment, _ = await harness.open_gate("order")
    card = await evidence(harness, deployment, "1.41.1")
    assert "*klp-logistics/order* `1.41.0` → `1.41.1` · `" in card
    assert " · <https://github.com/klp/order/compare/" in card
    assert "<https://github.com/klp/order/actions/runs/991|run 991>" in card
    assert ":white_check_mark: *Healthy:* 2/2 tasks · 2/2 targets · no alarms firing" in card


async def test_the_card_comes_first_and_the_evidence_after_it(harness: Harness) -> None:
    harness.aws.faults.slow("GetDeploymentGroup", 700)
    deployment, _ = await harness.open_gate("order")
    assert "Reading blue and green" in harness.slack.traffic()
    await evidence(harness, deployment, "Healthy:")
    assert set(harness.audit(deployment)) == {"gate_opened", "card_posted", "evidence_collected"}


async def test_everything_that_changes_is_behind_details_in_the_readers_language(harness: Harness) -> None:
    harness.aws.register_revision(
        "order",
        "1.42.0",
        cpu="1024",
        memory="2048",
        environment={"LOG_LEVEL": "debug", "SERVER_PORT": "8020", "NEW_FLAG": "on"},
        secrets={"DB_URL": "arn:aws:ssm:other"},
        command=("java", "-jar", "app.jar"),
    )
    deployment, _ = await harness.open_gate("order", description="git 4f2a1c9")
    card = await evidence(harness, deployment, "1.42.0")
    assert "and 6 more" in card
    english = await details(harness, OLU.id, deployment)
    for line in (
        "• *klp-logistics/order* `1.41.0` → `1.42.0`",
        "• env var `NEW_FLAG` added",
        "• env var `KAFKA_BROKERS` removed",
        "• env var `LOG_LEVEL` changed",
        "• secret `DB_PASSWORD` removed",
        "• secret `DB_URL` points to a different source",
        "• command changed",
        "• CPU `512` → `1024`",
        "• memory `1024 MiB` → `2048 MiB`",
        "`klp-logistics-order:43`",
        "100% of production traffic",
        "• `klp-logistics-order-5xx`: OK",
        "Blue is kept for 5 min after the switch",
        "Listener 8020 (HTTP): `klp-logistics-order-blue` 100%",
    ):
        assert line in english
    assert "• 환경 변수 `NEW_FLAG` 추가" in await details(harness, MINA.id, deployment)


async def test_details_opens_from_the_record_alone(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    harness.aws.faults.slow("*", 20_000)
    assert "2/2 tasks" in await details(harness, OLU.id, deployment)
    harness.aws.faults.clear()


async def test_a_switch_that_changes_nothing_says_so(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", image_tag="1.41.0")
    card = await evidence(harness, deployment, "No changes")
    assert "`klp-logistics-order:41` and `klp-logistics-order:43` are identical" in card
    assert "is a mutable tag" not in card


async def test_a_tag_that_moves_is_not_taken_for_the_same_build(harness: Harness) -> None:
    harness.aws.register_revision("order", "latest")
    first, _ = await harness.open_gate("order")
    await harness.approve(OLU.id, first)
    await harness.reported(first)
    harness.aws.advance_until(lambda: harness.aws.deployment(first).over)
    second, _ = await harness.open_gate("order", image_tag="latest")
    card = await evidence(harness, second, "No changes")
    assert "Mutable tag, may point to a different build: `klp-logistics/order:latest`." in card


async def test_what_is_wrong_with_green_comes_first(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    harness.aws.set_health(
        "order", "green", "unhealthy", reason="Target.ResponseCodeMismatch", description="failed: [503]"
    )
    harness.clock.advance(seconds=20)
    card = await evidence(harness, deployment, "targets unhealthy")
    wrong = ":warning: *Green:* *2 of 2 targets unhealthy*: Target.ResponseCodeMismatch (failed: [503]) · 2/2 tasks"
    assert wrong in card
    harness.aws.set_health("order", "green", "healthy")
    harness.clock.advance(seconds=20)
    await evidence(harness, deployment, "Healthy:")
    shown = [
        row["detail"]
        for row in harness.rows(
            "SELECT detail FROM audit_events WHERE kind = 'evidence_collected' ORDER BY seq"
        )
    ]
    assert len(shown) >= 3
    assert all(before != after for before, after in pairwise(shown)), "a read without changes is no event"


async def test_an_alarm_that_rings_is_on_the_card(
    tmp_path: Path, database_url: str, monkeypatch: Any
) -> None:
    order = SandboxDomain("order", 8020, alarm_stops=False)
    async with running_harness(tmp_path, database_url, monkeypatch, domains=[order]) as harness:
        harness.aws.set_alarm("order", "ALARM", reason="12 answers were 5xx <!channel>")
        deployment, _ = await harness.open_gate("order")
        card = await evidence(harness, deployment, "is firing")
        assert "*alarm `klp-logistics-order-5xx` is firing*: 12 answers were 5xx &lt;!channel&gt;" in card


async def test_people_are_not_asked_anew_when_the_evidence_changes(harness: Harness) -> None:
    """The prompt version stays the same: buttons of an older card still work."""
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    before = harness.gate(deployment)["prompt_version"]
    harness.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
    harness.clock.advance(seconds=20)
    await evidence(harness, deployment, "targets unhealthy")
    assert harness.gate(deployment)["prompt_version"] == before
    harness.aws.set_health("order", "green", "healthy")  # without a healthy target nothing is approved
    harness.clock.advance(seconds=20)
    await evidence(harness, deployment, "Healthy:")
    assert harness.gate(deployment)["prompt_version"] == before
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_evidence_stays_as_it_was_when_the_decision_was_made(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    await harness.approve(OLU.id, deployment)
    await harness.reported(deployment)
    harness.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
    harness.clock.advance(minutes=5)
    watched = "SELECT 1 FROM evidence WHERE live -> 'targets' -> 0 ->> 'state' = 'unhealthy'"
    await harness.until(lambda: harness.rows(watched))
    shown = await details(harness, OLU.id, deployment)
    assert "Snapshot from the time of the decision" in shown
    assert "2/2 tasks" in shown
    health = harness.rows("SELECT seen -> 'green' -> 'health' AS health FROM evidence")[0]["health"]
    assert [one["state"] for one in health] == ["healthy"]


DENIED = "no permission to read"
THROTTLED = "throttled by AWS"
FAILED = "AWS returned an error"
SILENT = "AWS timed out"

PARTS: list[tuple[str, str]] = [
    ("DescribeAlarms", "alarms: {why}"),
    ("DescribeTargetHealth", "target health: {why}"),
    ("DescribeTaskDefinition", "Changes unknown ({why})"),
    ("GetDeploymentGroup", "alarms: {why}"),
]


@pytest.mark.parametrize(("operation", "said"), PARTS, ids=[operation for operation, _ in PARTS])
@pytest.mark.parametrize(
    ("fault", "why"), [("access_denied", DENIED), ("throttle", THROTTLED), ("error", FAILED)]
)
async def test_a_part_that_cannot_be_read_says_why(
    harness: Harness, operation: str, said: str, fault: Kind, why: str
) -> None:
    harness.aws.faults.add(operation, fault, times=None)
    deployment, _ = await harness.open_gate("order")
    card = await evidence(harness, deployment, said.format(why=why))
    assert "2/2 tasks" in card
    assert {"approve", "reject"} <= harness.actions(deployment)
    harness.aws.faults.clear()
    harness.clock.advance(seconds=40)
    await evidence(harness, deployment, "Healthy:")


@pytest.mark.parametrize(("operation", "said"), PARTS, ids=[operation for operation, _ in PARTS])
async def test_a_part_that_is_slow_holds_up_no_other(harness: Harness, operation: str, said: str) -> None:
    harness.aws.faults.slow(operation, 3_000)
    deployment, _ = await harness.open_gate("order")
    card = await evidence(harness, deployment, said.format(why=SILENT))
    assert "2/2 tasks" in card
    harness.aws.faults.clear()
    harness.clock.advance(seconds=40)
    await evidence(harness, deployment, "Healthy:")


async def test_without_ecs_codedeploy_and_its_appspec_still_show_green(harness: Harness) -> None:
    harness.aws.faults.add("DescribeServices", "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    card = await evidence(harness, deployment, "Healthy:")
    assert f"Changes unknown ({DENIED}). Green runs `klp-logistics/order:1.42.0`." in card
    shown = await details(harness, OLU.id, deployment)
    assert "changes: no permission to read (`ecs:DescribeServices`)" in shown
    assert "Target group `klp-logistics-order-green`" in shown


async def test_without_codedeploys_target_ecs_still_shows_blue_and_green(harness: Harness) -> None:
    harness.aws.faults.add("ListDeploymentTargets", "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    card = await evidence(harness, deployment, "Healthy:")
    assert "`1.41.0` → `1.42.0`" in card
    assert "stable since" not in card


async def test_with_no_evidence_the_gate_still_opens(harness: Harness) -> None:
    for operation in ("GetDeploymentGroup", "ListDeploymentTargets", "DescribeServices"):
        harness.aws.faults.add(operation, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    card = await evidence(harness, deployment, ":grey_question: *Green:* tasks: no permission to read")
    assert "target health: no permission to read · alarms: no permission to read" in card
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_no_alarm_configured_is_no_gap(harness: Harness) -> None:
    harness.aws.faults.add("DescribeAlarms", "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    assert "no alarms configured" not in await evidence(harness, deployment, "alarms: no permission to read")


@pytest.mark.parametrize("labels", [True, False], ids=["with labels", "without labels"])
async def test_green_is_found_again_after_the_target_groups_have_swapped(
    tmp_path: Path, database_url: str, monkeypatch: Any, labels: bool
) -> None:
    order = SandboxDomain("order", 8020, task_set_labels=labels)
    async with running_harness(tmp_path, database_url, monkeypatch, domains=[order]) as harness:
        first, _ = await harness.open_gate("order", image_tag="2.0.0")
        assert "`1.41.0` → `2.0.0`" in await evidence(harness, first, "Healthy:")
        await harness.approve(OLU.id, first)
        await harness.reported(first)
        harness.aws.advance_until(lambda: harness.aws.deployment(first).over)
        second, _ = await harness.open_gate("order", image_tag="3.0.0")
        assert "`2.0.0` → `3.0.0`" in await evidence(harness, second, "Healthy:")
        shown = await details(harness, OLU.id, second)
        green = shown.partition("Green (new)")[2]
        assert "klp-logistics/order:3.0.0" in green
        assert "Target group `klp-logistics-order-blue`" in green


async def test_a_killed_replicas_evidence_read_is_taken_over(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    await outsiders.alters(
        harness,
        "UPDATE evidence SET claimed_by = gen_random_uuid(), claimed_until = %s, due_at = %s",
        harness.clock().replace(year=2027),
        harness.clock(),
    )
    harness.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
    harness.clock.advance(seconds=60)
    assert "Healthy:" in harness.card_text(deployment)
    await outsiders.alters(harness, "UPDATE evidence SET claimed_until = %s", harness.clock())
    await evidence(harness, deployment, "targets unhealthy")


async def test_the_api_returns_it_in_short(harness: Harness) -> None:
    harness.aws.register_revision("order", "1.42.0", environment={"LOG_LEVEL": "debug"})
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    async with aiohttp.ClientSession() as session, session.get(f"{harness.url}/api/v1/gates") as answer:
        [gate] = (await answer.json())["items"]
    shown = gate["evidence"]
    assert (shown["healthy"], shown["findings"], shown["missing"]) == (True, [], {})
    assert shown["changes"][0] == {
        "part": "image",
        "kind": "changed",
        "name": "klp-logistics/order",
        "container": "order",
        "before": "1.41.0",
        "after": "1.42.0",
    }
    assert {change["before"] for change in shown["changes"] if change["part"] == "variable"} == {None}


async def test_details_of_a_card_that_is_not_ours_is_answered_kindly(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    await harness.press(OLU.id, deployment, "details", value="no ticket")
    await harness.until(lambda: "doesn't match any known deployment" in harness.ephemerals(OLU.id))
    assert harness.slack.views.top(OLU.id) is None


async def test_a_gate_that_is_confirmed_late_gets_its_evidence_then(harness: Harness) -> None:
    harness.aws.faults.add("GetDeployment", "unavailable", times=None)
    harness.aws.faults.add("BatchGetDeployments", "unavailable", times=None)
    deployment = await harness.deploy("order")
    await harness.until(
        lambda: "CodeDeploy hasn't confirmed this deployment yet" in harness.card_text(deployment)
    )
    assert "Reading blue and green" not in harness.card_text(deployment)
    assert harness.aws.calls("DescribeServices") == []
    harness.aws.faults.clear()
    harness.clock.advance(minutes=1)
    await evidence(harness, deployment, "Healthy:")


async def test_an_automatic_rollback_waits_for_no_evidence(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await evidence(harness, deployment, "Healthy:")
    harness.aws.stop_deployment(deployment)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await harness.reported(rollback) == ["Succeeded"]
    await harness.until(lambda: harness.rows("SELECT 1 FROM evidence WHERE due_at IS NULL AND seen IS NULL"))


async def test_every_domain_has_its_own_evidence(harness: Harness) -> None:
    names = [domain.name for domain in EIGHT_DOMAINS]
    deployments = {name: (await harness.open_gate(name))[0] for name in names}
    for name, deployment in deployments.items():
        assert f"*klp-logistics/{name}* `1.41.0` → `1.42.0`" in await evidence(
            harness, deployment, "Healthy:"
        )
