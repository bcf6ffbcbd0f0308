"""The invariants after the faults, a function each: it returns what violates it; an empty result is a pass."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from app.hook_lambda.handler import CodeDeployNotAnswered
from app.sandbox.people import JUN
from tests.chaos.cluster import Cluster
from tests.chaos.people import buttons
from tests.harness import text_of

Found = list[Any]

GATES = """
SELECT g.id, g.phase, g.shown_by, g.verdict, g.basis, g.outcome, g.outcome_detail, g.decided_at, g.decided_name,
       g.reason, s.deployment_id, s.domain, s.creator, s.ended_at, s.verified_at,
       (SELECT count(*) FROM audit_events a WHERE a.gate_id = g.id AND a.kind IN ('gate_decided', 'gate_withdrawn'))
           AS decisions,
       (SELECT count(*) FROM audit_events a WHERE a.gate_id = g.id AND a.kind = 'gate_opened') AS openings
  FROM gates g JOIN switches s ON s.id = g.switch_id
"""
BROKEN_CHAINS = """
SELECT deployment_id, seq FROM (
    SELECT e AS event, deployment_id, seq, hash,
           coalesce(lag(hash) OVER chain, ''::bytea) AS previous, row_number() OVER chain AS place
      FROM audit_events e WINDOW chain AS (PARTITION BY account, region, deployment_id ORDER BY seq)
) x WHERE hash <> audit_event_hash(previous, event) OR seq <> place
"""
APPROVED_UNDER_A_FREEZE = """
SELECT s.deployment_id, g.decided_at, f.declared_at, f.ended_at
  FROM gates g JOIN switches s ON s.id = g.switch_id
  JOIN freezes f ON f.domains IS NULL OR s.domain = ANY(f.domains)
 WHERE g.verdict = 'approved' AND g.basis = 'votes'
   AND g.decided_at > f.declared_at + interval '5 seconds'
   AND g.decided_at < least(f.ends_at, coalesce(f.ended_at, f.ends_at)) - interval '5 seconds'
"""
"""Five seconds: a press is evaluated as of its arrival, and may wait this long for the gate's lock."""

POLLS = """
SELECT c.ts AS card_ts FROM audit_events a JOIN cards c ON c.gate_id = a.gate_id WHERE a.kind = 'evidence_collected'
"""
VOTES_WITHOUT_EVENT = """
SELECT v.gate_id, v.voter FROM votes v
 WHERE NOT EXISTS (SELECT 1 FROM audit_events a
                    WHERE a.gate_id = v.gate_id AND a.kind = 'vote_cast' AND a.actor = v.voter)
"""
OVERDUE = " UNION ALL ".join(
    f"SELECT '{table}' AS work, count(*) AS n FROM {table} WHERE due_at < now() - interval '60 seconds'"
    for table in ("switches", "reports", "cards", "threads", "interventions", "announcements", "probe_runs")
)
ANSWERS: Final = {"approved": "Succeeded"}
LAMBDA_GAVE_UP: Final = f"crashed: {CodeDeployNotAnswered.__name__}"
UNKNOWN_ERRORS: Final = (
    "listener_failed",
    "request_failed",
    "Traceback",
    "deadlock detected",
    "IncoherentRow",
)
LIBRARIES: Final = (
    "slack_bolt",
    "slack_sdk",
    "aiohttp",
    "botocore",
    "urllib3",
    "sqlalchemy",
    "psycopg",
    "asyncio",
)
"""They log the stack of each connection that was cut."""


def every_hook_opened_one_gate(cluster: Cluster) -> Found:
    """And nothing else did. Where the Lambda reached neither the service nor CodeDeploy, no answer is a no."""
    gates = Counter(row["deployment_id"] for row in cluster.rows(GATES))
    calls: dict[str, set[str]] = {}
    for call in cluster.aws.hook_calls():
        calls.setdefault(call.deployment_id, set()).add(call.outcome)
    wrong: Found = [(each, count) for each, count in gates.items() if count > 1 or each not in calls]
    for each in cluster.aws.deployments():
        if each.id in calls and not gates[each.id] and not each.answers:
            gave_up = calls[each.id] <= {LAMBDA_GAVE_UP} and each.status != "Succeeded"
            wrong += [] if gave_up else [(each, calls[each.id])]
    return wrong


def every_gate_was_opened_and_decided_once(cluster: Cluster) -> Found:
    """As the audit trail has it."""
    return [row for row in cluster.rows(GATES) if (row["openings"], row["decisions"]) != (1, 1)]


def codedeploy_got_what_was_decided(cluster: Cluster) -> Found:
    """Or the record says that it holds something else."""
    wrong = []
    for row in cluster.rows(GATES):
        answers = cluster.aws.answers(row["deployment_id"])
        expected = ANSWERS.get(row["verdict"], "Failed")
        # Answered elsewhere; a rollback by its Lambda. What its deployer withdrew is told as `Failed`.
        if row["verdict"] == "withdrawn" and row["decided_name"] is None:
            passes = is_rollback(cluster, row["deployment_id"]) and not was_unreadable(
                cluster, row["deployment_id"]
            )
            expected = row["outcome_detail"] or ("Succeeded" if passes else "Failed")
        agrees = answers == [expected] if answers else row["verdict"] == "withdrawn" or row["ended_at"]
        if len(answers) > 1 or not (agrees or row["outcome"] == "conflict"):
            deployment = row["deployment_id"]
            wrong.append((row, answers, lambda_log(cluster, deployment), cluster.aws.deployment(deployment)))
    return wrong


def is_rollback(cluster: Cluster, deployment: str) -> bool:
    return cluster.aws.deployment(deployment).creator == "codeDeployRollback"


def lambda_log(cluster: Cluster, deployment: str) -> list[dict[str, Any]]:
    """What the hook's Lambda logged of one deployment."""
    lines = map(json.loads, cluster.fakes.hook_log)
    return [line for line in lines if line.get("deployment") == deployment]


def was_unreadable(cluster: Cluster, deployment: str) -> bool:
    """Whether CodeDeploy never told the Lambda who made the deployment, as often as it was asked."""
    events = Counter(line["event"] for line in lambda_log(cluster, deployment))
    return events["creator_not_read"] >= 3 and not events["rollback_passes_without_switchgate"]


def nobody_without_the_right_decided(cluster: Cluster) -> Found:
    """Jun is no approver and tried all the time."""
    votes = cluster.rows("SELECT * FROM votes WHERE voter = %s", JUN.id)
    return votes + cluster.rows("SELECT * FROM gates WHERE decided_by = %s", JUN.id)


def nothing_was_approved_under_a_freeze(cluster: Cluster) -> Found:
    """Nobody used break-glass."""
    return cluster.rows(APPROVED_UNDER_A_FREEZE)


def every_vote_is_in_the_trail(cluster: Cluster) -> Found:
    return cluster.rows(VOTES_WITHOUT_EVENT)


def the_audit_chains_are_whole(cluster: Cluster) -> Found:
    return cluster.rows(BROKEN_CHAINS)


def every_gate_has_one_card(cluster: Cluster) -> Found:
    """Found by the deployment that it names; a copy that was posted twice is gone. Another gate's card may show it."""
    cards = Counter(
        (card.metadata or {}).get("event_payload", {}).get("gate")
        for card in cluster.cards()
        if card.metadata
    )
    gates = {str(row["id"]): row["shown_by"] for row in cluster.rows(GATES)}
    return [
        (gate, cards[gate])
        for gate, shown_by in gates.items()
        if cards[gate] > 1 or not (cards[gate] or shown_by)
    ]


def no_card_has_buttons_left(cluster: Cluster) -> Found:
    return [card.ts for card in cluster.cards() if buttons(card) & {"approve", "reject"}]


def every_card_shows_its_decision(cluster: Cluster) -> Found:
    """By the word that the decision has on a card."""
    words = {
        "approved": ("approved", "passed", "on green", "automatic rollback", "rolled back automatically"),
        "rejected": ("rejected",),
        "expired": ("deadline", "expired"),
    }
    said = {
        (card.metadata or {}).get("event_payload", {}).get("gate"): text_of(card).lower()
        for card in cluster.cards()
    }
    return [
        (row["deployment_id"], row["verdict"], said.get(str(row["id"]), "")[:200])
        for row in cluster.rows(GATES)
        if row["verdict"] in words
        and (row["shown_by"] is None or str(row["id"]) in said)
        and not any(word in said.get(str(row["id"]), "") for word in words[row["verdict"]])
    ]


def no_timeline_entry_is_posted_twice(cluster: Cluster) -> Found:
    """What may truly happen twice in a switch is left out: an undo that is refused, and a look that found news."""
    lines = Counter(
        (message.thread_ts, line)
        for message in cluster.slack.messages.in_channel()
        if message.by_app and message.is_reply
        for line in message.shown.text.split("\n")
        if line and "undo" not in line.lower()
    )
    polls = Counter(row["card_ts"] for row in cluster.rows(POLLS))
    return [
        (thread, line, count)
        for (thread, line), count in lines.items()
        if count > (polls[thread] if "Changes and health checked" in line else 1)
    ]


def no_undo_is_left_half_done(cluster: Cluster) -> Found:
    return cluster.rows("SELECT * FROM interventions WHERE phase IN ('requested', 'sent')")


def traffic_is_where_the_decision_left_it(cluster: Cluster) -> Found:
    """The last deployment of a domain that nobody took back: on green if it was approved, on blue if not."""
    wrong = []
    gates = {row["deployment_id"]: row for row in cluster.rows(GATES)}
    for domain in cluster.aws.domains():
        deployments = [each for each in cluster.aws.deployments(domain.name) if each.rollback_of is None]
        last = deployments[-1] if deployments else None
        if last is None or last.id not in gates or last.status == "Stopped":
            continue
        share = cluster.aws.share(domain.name)["green"]
        if share != (100 if last.answers == ("Succeeded",) else 0):
            wrong.append((domain.name, last, share))
    return wrong


def nothing_is_overdue(cluster: Cluster) -> Found:
    return [row for row in cluster.rows(OVERDUE) if row["n"]]


def no_unknown_error_is_in_a_log(cluster: Cluster) -> Found:
    """An unavailable database, Slack or AWS has an exception of its own there."""
    return [
        f"{line[:150]} … {line[-600:]}"
        for log in cluster.logs
        for line in log.read_text(errors="replace").splitlines()
        if any(word in line for word in UNKNOWN_ERRORS)
        and not any(f'"logger": "{library}' in line for library in LIBRARIES)
    ][:5]


def no_execution_id_left_the_record(cluster: Cluster) -> Found:
    """The answers to CodeDeploy aside."""
    ids = [
        row["execution_id"]
        for row in cluster.rows("SELECT execution_id FROM gates WHERE execution_id IS NOT NULL")
    ]
    outputs = [cluster.slack.traffic(), *(log.read_text(errors="replace") for log in cluster.logs)]
    return [each[:12] for each in ids if any(each in text for text in outputs)]


INVARIANTS: Final[tuple[Callable[[Cluster], Found], ...]] = (
    every_hook_opened_one_gate,
    every_gate_was_opened_and_decided_once,
    codedeploy_got_what_was_decided,
    nobody_without_the_right_decided,
    nothing_was_approved_under_a_freeze,
    every_vote_is_in_the_trail,
    the_audit_chains_are_whole,
    every_gate_has_one_card,
    no_card_has_buttons_left,
    every_card_shows_its_decision,
    no_timeline_entry_is_posted_twice,
    no_undo_is_left_half_done,
    traffic_is_where_the_decision_left_it,
    nothing_is_overdue,
    no_unknown_error_is_in_a_log,
    no_execution_id_left_the_record,
)
