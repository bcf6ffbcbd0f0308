"""Every background activity of a replica, one row a worker.

Workers find their work in the database, so every replica runs all of them, and any of them may be killed.
"""

from typing import Final

from app.workers.dependencies import Dependencies
from app.workers.jobs import facts, gates, messages, reports, switches
from app.workers.runner import Worker
from app.workers.spec import WorkerSpec

POLL: Final = 0.5
"""Seconds. With leases of 3.5 s, another replica takes over the work of a killed one within 5 s."""

WORKERS: Final = (
    WorkerSpec(
        name="report_decision",
        source="reports: decisions that CodeDeploy has not acknowledged",
        does="answers CodeDeploy's hook",
        step=reports.report_decisions,
        concurrency=16,
        poll_interval=POLL,
        wakes_on=("gate_opened", "gate_decided", "switch_changed", "intervention_executed", "aws_recovered"),
        # A press is answered first. Then its decision is reported at once; in a burst, many decisions together.
        max_yield=0.2,
        quiet_period=0.0,
        busy_concurrency=16,
    ),
    WorkerSpec(
        name="poll_deployment",
        source="switches: live ones not polled for a while",
        does="reads the deployment, stores its progress, closes gates that are over",
        step=switches.poll_deployments,
        concurrency=50,
        poll_interval=POLL,
        wakes_on=("gate_opened", "report_sent", "intervention_executed", "poll_requested", "aws_recovered"),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="mark_stale_traffic",
        source="switches: live ones whose traffic moves and was not read in time",
        does="stores that the share of traffic is unknown, makes the cards due",
        step=switches.mark_stale_traffic,
        concurrency=1,
        poll_interval=1.0,
        max_yield=0.5,
    ),
    WorkerSpec(
        name="execute_intervention",
        source="interventions: requested by somebody, not yet of CodeDeploy",
        does="stops, redeploys or finishes the deployment",
        step=switches.execute_interventions,
        concurrency=8,
        poll_interval=POLL,
        wakes_on=("intervention_requested", "aws_recovered"),
    ),
    WorkerSpec(
        name="collect_evidence",
        source="evidence: of waiting gates and live switches, not read for a while",
        does="reads blue and green from CodeDeploy, ECS, load balancer and CloudWatch",
        step=switches.collect_due_evidence,
        concurrency=10,
        poll_interval=POLL,
        wakes_on=("gate_opened", "evidence_requested", "switch_changed"),
        max_yield=1.0,
    ),
    WorkerSpec(
        name="expire_gates",
        source="gates: waiting past their deadline",
        does="decides them as expired",
        step=gates.expire_due_gates,
        concurrency=1,
        poll_interval=POLL,
        wakes_on=("deadline_reached",),
    ),
    WorkerSpec(
        name="auto_approve",
        source="gates: waiting, whose checks have passed or whose votes have become enough",
        does="approves them",
        step=gates.auto_approve,
        concurrency=1,
        poll_interval=POLL,
        wakes_on=("gate_opened", "check_reported", "deployer_resolved", "rule_status_changed"),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="refresh_rule_status",
        source="gates: waiting, whose rules have begun or ceased to apply",
        does="stores the new rule status, announces the end of a freeze",
        step=gates.refresh_rule_statuses,
        concurrency=1,
        poll_interval=1.0,
        wakes_on=("gate_opened", "gate_decided", "votes_changed", "freeze_changed"),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="remind",
        source="gates: waiting, with a reminder due",
        does="stores the reminder, which the timeline then posts",
        step=gates.send_reminders,
        concurrency=1,
        poll_interval=2.0,
    ),
    WorkerSpec(
        name="publish_card",
        source="cards: those that differ from what they should show",
        does="posts or updates the card in Slack",
        step=messages.publish_cards,
        concurrency=8,
        poll_interval=POLL,
        wakes_on=(
            "card_outdated",
            "card_place_learned",
            "card_published",
            "check_reported",
            "deployer_resolved",
            "freeze_changed",
            "gate_decided",
            "gate_opened",
            "intervention_executed",
            "intervention_requested",
            "probes_requested",
            "report_sent",
            "rule_status_changed",
            "switch_changed",
            "votes_changed",
        ),
        max_yield=0.2,
    ),
    WorkerSpec(
        name="republish_cards",
        source="cards: of live switches, not sent for a while",
        does="makes them due, in case somebody deleted them",
        step=messages.republish_cards,
        concurrency=1,
        poll_interval=5.0,
    ),
    WorkerSpec(
        name="redraw_previous_cards",
        source="switches: those since whose change the previous switch's card was not updated",
        does=(
            "makes that card due: while a newer switch is in progress it offers no undo; has earlier live switches of"
            " the domain polled at once"
        ),
        step=messages.redraw_previous_cards,
        concurrency=1,
        poll_interval=POLL,
        wakes_on=("gate_opened", "switch_changed"),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="remove_card_copy",
        source="card_copies: second messages that show a gate",
        does="deletes them in Slack",
        step=messages.remove_card_copies,
        concurrency=2,
        poll_interval=POLL,
        wakes_on=("card_place_learned",),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="post_timeline",
        source="threads: those that lack audit events",
        does="posts the events into the card's thread",
        step=messages.post_timelines,
        concurrency=4,
        poll_interval=POLL,
        wakes_on=("card_published", "card_place_learned"),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="announce",
        source="announcements: those that are not posted",
        does="posts them into the channel",
        step=messages.post_announcements,
        concurrency=4,
        poll_interval=POLL,
        wakes_on=("gate_decided", "rule_status_changed"),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="publish_home",
        source="memory: who has App Home open",
        does="publishes Home when what it shows has changed",
        step=messages.publish_homes,
        concurrency=4,
        poll_interval=POLL,
        wakes_on=("home_requested",),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="resolve_deployer",
        source="switches: with waiting gates, whose deployer is not known",
        does="finds the Slack user by name or e-mail address",
        step=facts.resolve_deployers,
        concurrency=1,
        poll_interval=2.0,
        wakes_on=("gate_opened",),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="run_probe",
        source="probe_runs: requested ones without a result",
        does="sends the probe's request to green, stores the check",
        step=facts.run_probes,
        concurrency=8,
        poll_interval=POLL,
        wakes_on=("gate_opened", "probes_requested"),
        max_yield=0.5,
    ),
    WorkerSpec(
        name="refresh_memberships",
        source="memberships: not read from Slack for a while",
        does="reads the members of user groups",
        step=facts.refresh_memberships,
        concurrency=1,
        poll_interval=5.0,
        wakes_on=("memberships_outdated",),
    ),
    WorkerSpec(
        name="delete_stray_checks",
        source="checks: of deployments that never came",
        does="deletes them",
        step=facts.delete_stray_checks,
        concurrency=1,
        poll_interval=3600.0,
        max_yield=0.5,
    ),
    WorkerSpec(
        name="update_gauges",
        source="gates: waiting ones; reports: overdue ones",
        does="counts them for /metrics",
        step=facts.update_gauges,
        concurrency=1,
        poll_interval=10.0,
    ),
)


def build_workers(deps: Dependencies) -> dict[str, Worker]:
    """The workers by name, each subscribed to what wakes it. A reload of the configuration wakes all of them."""
    workers = {spec.name: spec.build(deps) for spec in WORKERS}
    for spec in WORKERS:
        deps.wakeups.subscribe(("config_reloaded", *spec.wakes_on), workers[spec.name].wake)
    return workers
