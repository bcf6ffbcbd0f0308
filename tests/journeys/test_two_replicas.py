"""Two replica processes, one of them killed: every gate still has exactly one decision."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from app.db.migrate import newest
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import GRACE, JUN, MINA, OLU
from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.state.shapes import Message
from tests.harness import text_of
from tests.replicas import Fleet, buttons, fleet

pytestmark = pytest.mark.slow

PUT: Final = "PutLifecycleEventHookExecutionStatus"
CROWD: Final = tuple(
    SandboxDomain(f"d{number:03}", 20_000 + number, auto_rollback=()) for number in range(200)
)
ONLY_GRACE: Final = 6
"""Cards that nobody but Grace presses, so that some are surely rejected."""

BOTH_REPLICAS: Final = 40
"""Of so many cards every press reaches both replicas, as it never does at Slack."""

TAKEN_OVER_WITHIN: Final = 5.0
"""Seconds: the lease, the tick, and the work itself."""

TIMEOUT_SECONDS: Final = 120.0
"""Seconds that any part may take on a machine that has other things to do; alone it takes a few."""

TOOK: Final = "CodeDeploy hook result"

BUSY: Final = 3.0
"""More seconds than promised, for such a machine."""


@pytest.fixture
def crowd(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    """Two hundred domains."""
    with fleet(tmp_path, database_url, domains=CROWD) as built:
        yield built


@pytest.fixture
def few(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    with fleet(tmp_path, database_url) as built:
        yield built


def bad_weather(crowd: Fleet) -> None:
    """AWS with frequent faults of all kinds."""
    faults = crowd.aws.faults
    faults.rate(PUT, throttle=0.1, error=0.05, drop=0.03, error_after_commit=0.1, drop_after_commit=0.05)
    faults.add(PUT, "timeout_after_commit", times=2)
    faults.rate("GetDeploymentTarget", throttle=0.05, error=0.03)
    faults.hook_rate(duplicate=0.1)
    for read in ("DescribeServices", "DescribeTargetGroups", "DescribeAlarms", "GetDeploymentGroup"):
        faults.add(read, "access_denied", times=None)


def decided(crowd: Fleet) -> int:
    return crowd.count("gates WHERE phase <> 'awaiting'")


def only_one_replica(crowd: Fleet) -> None:
    """From now on each press reaches one replica, round robin."""
    crowd.slack.deliver_to_all_sockets(on=False)


def approve(crowd: Fleet, card: Message, user: str) -> None:
    crowd.slack.press(user, card.channel, card.ts, "approve")


def reject(crowd: Fleet, card: Message, user: str) -> None:
    """Presses Reject and says why; late users find no form, or one that names who was first."""
    views, messages = crowd.slack.views, crowd.slack.messages
    crowd.slack.press(user, card.channel, card.ts, "reject")
    crowd.slack.wait_until(
        lambda: views.top(user) or not buttons(messages.get(card.channel, card.ts)), timeout=5
    )
    form = views.top(user)
    if form is None:
        return
    result = crowd.slack.submit(user, form.id, {"reason": "broken on green"})
    if result.outcome != "closed":
        with suppress(NotInWorkspace):
            crowd.slack.close(user, form.id)


def test_two_hundred_gates_pressed_by_several_people_outlive_a_killed_replica(crowd: Fleet) -> None:
    bad_weather(crowd)
    killed, _ = crowd.start_together(2)
    deployments = [crowd.aws.deploy(domain.name) for domain in CROWD]
    crowd.until(lambda: crowd.count("gates") == len(CROWD), TIMEOUT_SECONDS)
    crowd.until(lambda: sum(1 for card in crowd.cards() if buttons(card)) == len(CROWD), TIMEOUT_SECONDS)

    cards = crowd.cards()
    with ThreadPoolExecutor(8) as people, ThreadPoolExecutor(1) as grace:
        pressed = [
            grace.submit(reject, crowd, card, GRACE.id)
            for card in [*cards[:ONLY_GRACE], *cards[ONLY_GRACE::6]]
        ]
        crowd.slack.deliver_to_all_sockets()
        for number, card in enumerate(cards[ONLY_GRACE:]):
            if number == BOTH_REPLICAS:
                people.submit(only_one_replica, crowd)
            who = [MINA, OLU, *([JUN] if number % 10 == 0 else [])]
            pressed += [people.submit(approve, crowd, card, person.id) for person in who]
        crowd.until(lambda: decided(crowd) >= len(CROWD) / 2, TIMEOUT_SECONDS)
        killed.kill()
    for press in pressed:
        press.result()
    retry_unanswered_presses(crowd)

    crowd.until(lambda: crowd.count("gates WHERE outcome IS NULL") == 0, TIMEOUT_SECONDS)
    crowd.until(lambda: not any(buttons(card) for card in crowd.cards()), TIMEOUT_SECONDS)
    crowd.until(lambda: all(TOOK in text_of(card) for card in crowd.cards()), TIMEOUT_SECONDS)
    check_every_gate(crowd, deployments)
    check_nothing_waits(crowd)


def retry_unanswered_presses(crowd: Fleet) -> None:
    """Repeats presses without an ack, as a person would."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while waiting := crowd.rows(
        "SELECT s.deployment_id FROM gates g JOIN switches s ON s.id = g.switch_id WHERE g.phase = 'awaiting'"
    ):
        assert time.monotonic() < end, f"{len(waiting)} gates still wait"
        for row in waiting:
            approve(crowd, crowd.card(row["deployment_id"]), OLU.id)


def check_every_gate(crowd: Fleet, deployments: list[str]) -> None:
    """One decision each, and CodeDeploy answers exactly that."""
    gates = crowd.rows(
        "SELECT s.deployment_id, g.verdict, g.outcome, (SELECT count(*) FROM audit_events a"
        " WHERE a.gate_id = g.id AND a.kind = 'gate_decided') AS decisions"
        " FROM gates g JOIN switches s ON s.id = g.switch_id"
    )
    assert sorted(row["deployment_id"] for row in gates) == sorted(deployments)
    assert {row["decisions"] for row in gates} == {1}
    assert {row["outcome"] for row in gates} == {"acknowledged"}
    assert {row["verdict"] for row in gates} == {"approved", "rejected"}
    answer = {"approved": ["Succeeded"], "rejected": ["Failed"]}
    answers = {row["deployment_id"]: crowd.aws.answers(row["deployment_id"]) for row in gates}
    assert answers == {row["deployment_id"]: answer[row["verdict"]] for row in gates}


def check_nothing_waits(crowd: Fleet) -> None:
    """No gate, no report; one card each, which shows the decision; and an audit trail without a gap."""
    assert crowd.count("gates WHERE phase IN ('awaiting', 'decided')") == 0
    assert crowd.count("reports WHERE due_at IS NOT NULL") == 0
    said = [text_of(card) for card in crowd.cards()]
    assert len(said) == len(CROWD)
    assert all(TOOK in text for text in said)
    broken = (
        "(SELECT e AS event, seq, hash, coalesce(lag(hash) OVER chain, ''::bytea) AS previous,"
        " row_number() OVER chain AS place FROM audit_events e"
        " WINDOW chain AS (PARTITION BY account, region, deployment_id ORDER BY seq)) x"
        " WHERE hash <> audit_event_hash(previous, event) OR seq <> place"
    )
    assert crowd.count(broken) == 0


def test_the_report_of_a_killed_replica_is_sent_by_another(few: Fleet) -> None:
    (killed,) = few.start_together(1)
    few.aws.faults.slow(PUT, 60_000, times=1)
    deployment, card = few.open_gate("order")
    approve(few, card, MINA.id)
    few.until(lambda: few.count("reports WHERE claimed_by IS NOT NULL") == 1)

    few.start().wait_ready(60)
    assert few.aws.answers(deployment) == []  # the lease is kept: nobody else reports it meanwhile
    killed.kill()
    took = _seconds_until_reported(few, deployment)

    assert few.aws.answers(deployment) == ["Succeeded"]
    assert took < TAKEN_OVER_WITHIN + BUSY
    few.until(lambda: few.count("gates WHERE outcome = 'acknowledged'") == 1)


def test_killed_between_codedeploys_yes_and_our_commit_the_answer_is_found_there(few: Fleet) -> None:
    (killed,) = few.start_together(1)
    few.aws.faults.add(PUT, "timeout_after_commit")
    deployment, card = few.open_gate("payment")
    approve(few, card, OLU.id)
    few.until(lambda: few.aws.answers(deployment) == ["Succeeded"])
    killed.kill()
    assert few.count("gates WHERE phase = 'decided'") == 1

    few.start().wait_ready(60)
    few.until(lambda: few.count("gates WHERE outcome = 'acknowledged'") == 1)

    assert few.aws.answers(deployment) == ["Succeeded"]
    assert [call.outcome for call in few.aws.calls(PUT)] == [
        "timeout_after_commit",
        "LifecycleEventAlreadyCompletedException",
    ]
    few.until(lambda: "CodeDeploy hook result" in text_of(few.card(deployment)))


def test_replicas_that_start_together_migrate_together(empty_url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": empty_url}
    command = [sys.executable, "-m", "app", "migrate"]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=TIMEOUT_SECONDS)[0].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert all(f"The database is at migration {newest()}." in text for text in said)


def test_a_deadline_is_kept_by_whichever_replica_is_left(few: Fleet) -> None:
    killed, _ = few.start_together(2)
    deployment, _ = few.open_gate("order")
    few.rows("UPDATE gates SET deadline_at = now() + interval '3 seconds' RETURNING 1")
    killed.kill()

    few.until(lambda: few.aws.answers(deployment))

    assert few.aws.answers(deployment) == ["Failed"]
    (gate,) = few.rows(  # its own: CodeDeploy's rollback may stand at a gate, too, by now
        "SELECT g.verdict, g.decided_at - g.deadline_at AS late FROM gates g"
        " JOIN switches s ON s.id = g.switch_id WHERE s.deployment_id = %s",
        deployment,
    )
    assert gate["verdict"] == "expired"
    assert 0 <= gate["late"].total_seconds() < 1 + BUSY


def _seconds_until_reported(few: Fleet, deployment: str) -> float:
    began = time.monotonic()
    few.until(lambda: few.aws.answers(deployment))
    return time.monotonic() - began
