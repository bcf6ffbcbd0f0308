"""Every CHECK constraint rejects a row that violates only that one."""

from collections.abc import Iterator

import psycopg
import pytest

from app.db.embedded.postgres import EmbeddedPostgres
from tests.conftest import TEMPLATE
from tests.db.sample_rows import AWAITING, CLOSED, DECIDED, REPORTED, fill

NEW_SWITCH = (
    "INSERT INTO switches (account, region, deployment_id, first_seen_at{more})"
    " VALUES ('1', 'r', 'd-x', now(){values})"
)
NEW_EVENT = (
    "INSERT INTO audit_events (at, kind, account, region, deployment_id, actor_kind, seq, hash)"
    " VALUES (now(), 'vote_cast', '1', 'r', 'd-x', '{actor}', 0, '')"
)
INTERVENTION = (
    "INSERT INTO interventions (id, switch_id, kind, requested_by, requested_name, reason, requested_at{more})"
    " SELECT gen_random_uuid(), switch_id, '{kind}', 'U8', 'Bo', '{why}', now(){values}"
    f" FROM gates WHERE id = '{DECIDED}'"
)
VOTE = "INSERT INTO votes (gate_id, voter, name, choice, voted_at) VALUES ('{gate}', 'U8', 'Bo', '{choice}', now())"
FREEZE = (
    "INSERT INTO freezes (starts_at, ends_at, reason, declared_by, declared_at, domains)"
    " VALUES ('2026-11-24T03:00Z', '{end}', '{why}', 'U1', now(), {domains})"
)
CHANNEL_ANNOUNCEMENT = (
    "INSERT INTO channel_announcements (kind, channel, detail, written_at)"
    " VALUES ('freeze', 'C1', 'null', now())"
)
SUBSCRIPTION = (
    "INSERT INTO subscriptions (person, domains, locale, changed_at)"
    " VALUES ('U8', {domains}, '{locale}', now())"
)
DIRECT_MESSAGE = (
    "INSERT INTO direct_messages (gate_id, person, written_at{more})"
    f" VALUES ('{AWAITING}', 'U8', now(){{values}})"
)
CHECK = (
    "INSERT INTO checks (account, region, deployment_id, name, state, summary, url, reported_by, reported_at)"
    " VALUES ('1', 'r', 'd-x', '{name}', '{state}', '{summary}', {url}, 'api:ci', now())"
)

BROKEN = {
    "verified_is_a_domains": NEW_SWITCH.format(more=", verified_at", values=", now()"),
    "green_is_a_share": NEW_SWITCH.format(more=", green_percent", values=", 101"),
    "ended_says_how": NEW_SWITCH.format(more=", ended_at", values=", now()"),
    "switches_key": NEW_SWITCH.format(more="", values="), ('1', 'r', 'd-x', now()"),
    "gates_key": (
        "INSERT INTO gates SELECT gen_random_uuid(), switch_id, execution_hash, execution_id, hook_name, phase, 1, 1,"
        f" opened_at, deadline_at FROM gates WHERE id = '{AWAITING}'"
    ),
    "previous_obstacle_is_known": "UPDATE switches SET previous_obstacle = 'lost'",
    "outcome_is_known": (
        "UPDATE gates SET phase = 'reported', outcome = 'perhaps', reported_at = now(), execution_id = NULL"
        f" WHERE id = '{DECIDED}'"
    ),
    "reported_has_an_outcome": (
        f"UPDATE gates SET phase = 'reported', execution_id = NULL WHERE id = '{DECIDED}'"
    ),
    "unreported_has_none": f"UPDATE gates SET outcome = 'acknowledged', reported_at = now() WHERE id = '{DECIDED}'",
    "closed_says_when": f"UPDATE gates SET phase = 'closed' WHERE id = '{REPORTED}'",
    "only_what_another_gate_shows_returns": f"UPDATE gates SET returns = true WHERE id = '{AWAITING}'",
    "withdrawn_says_why": (
        "UPDATE gates SET phase = 'closed', closed_at = now(), verdict = 'withdrawn', decided_at = now(),"
        f" execution_id = NULL WHERE id = '{AWAITING}'"
    ),
    "approved_by_a_person": (
        "UPDATE gates SET phase = 'decided', verdict = 'approved', basis = 'votes', decided_at = now()"
        f" WHERE id = '{AWAITING}'"
    ),
    "approved_has_a_basis": (
        "UPDATE gates SET phase = 'decided', verdict = 'expired', basis = 'auto_rollback', decided_at = now()"
        f" WHERE id = '{AWAITING}'"
    ),
    "execution_id_kept_while_needed": f"UPDATE gates SET execution_id = NULL WHERE id = '{AWAITING}'",
    "choice_is_known": VOTE.format(gate=AWAITING, choice="abstain"),
    "a_rejection_says_why": VOTE.format(gate=AWAITING, choice="reject"),
    "answers_are_a_list": f"UPDATE votes SET answers = '{{}}' WHERE gate_id = '{AWAITING}'",
    "answer_is_known": f"INSERT INTO reports (gate_id, answer) VALUES ('{AWAITING}', 'Skipped')",
    "posted_somewhere": f"UPDATE cards SET ts = '1.1' WHERE gate_id = '{AWAITING}'",
    "an_outdated_card_is_due": f"UPDATE cards SET due_at = NULL WHERE gate_id = '{CLOSED}'",
    "intervention_kind_is_known": INTERVENTION.format(kind="dance", why="why not", more="", values=""),
    "an_undo_says_why": INTERVENTION.format(kind="stop", why=" ", more="", values=""),
    "intervention_phase_is_known": INTERVENTION.format(
        kind="stop", why="broken", more=", phase", values=", 'tried'"
    ),
    "finished_says_when": INTERVENTION.format(kind="stop", why="broken", more=", phase", values=", 'done'"),
    "only_requested_is_due": INTERVENTION.format(
        kind="stop", why="broken", more=", phase, due_at", values=", 'sent', now()"
    ),
    "problem_code_is_known": INTERVENTION.format(
        kind="stop",
        why="broken",
        more=", phase, finished_at, problem_code",
        values=", 'failed', now(), 'bad_luck'",
    ),
    "seen_says_when": f"UPDATE evidence SET seen_at = NULL WHERE gate_id = '{AWAITING}'",
    "posting_says_since_when": (f"INSERT INTO threads (gate_id, posting_seq) VALUES ('{AWAITING}', 3)"),
    "break_glass_says_what_and_why": (
        "UPDATE gates SET phase = 'decided', verdict = 'approved', basis = 'break_glass', decided_at = now(),"
        f" decided_by = 'U1', reason = 'incident' WHERE id = '{AWAITING}'"
    ),
    "posted_or_due": (
        f"INSERT INTO announcements (gate_id, kind, written_at) VALUES ('{AWAITING}', 'break_glass', now())"
    ),
    "channel_posted_or_due": CHANNEL_ANNOUNCEMENT,
    "subscription_locale_is_known": SUBSCRIPTION.format(locale="fr", domains="NULL"),
    "subscribed_to_a_domain": SUBSCRIPTION.format(locale="ko", domains="'{}'"),
    "direct_message_open_or_closed": DIRECT_MESSAGE.format(more="", values=""),
    "direct_message_has_a_place": DIRECT_MESSAGE.format(more=", ts", values=", '1.2'"),
    "a_freeze_ends_after_its_start": FREEZE.format(end="2026-11-24T03:00Z", why="incident", domains="NULL"),
    "a_freeze_says_why": FREEZE.format(end="2026-11-24T04:00Z", why=" ", domains="NULL"),
    "a_freeze_is_of_something": FREEZE.format(end="2026-11-24T04:00Z", why="incident", domains="'{}'"),
    "lifted_is_ended": (
        "INSERT INTO freezes (starts_at, ends_at, reason, declared_by, declared_at, lifted_by)"
        " VALUES (now(), now() + interval '1 hour', 'incident', 'U1', now(), 'U1')"
    ),
    "check_state_is_known": CHECK.format(name="smoke", state="green", summary="", url="NULL"),
    "check_name_is_short": CHECK.format(name="x" * 101, state="passed", summary="", url="NULL"),
    "check_summary_is_short": CHECK.format(name="smoke", state="passed", summary="x" * 501, url="NULL"),
    "check_url_is_https": CHECK.format(name="smoke", state="passed", summary="", url="'http://ci'"),
    "a_changed_id_is_another": (
        "INSERT INTO channel_id_changes (old_id, new_id, learned_at) VALUES ('C1', 'C1', now())"
    ),
    "actor_kind_is_known": NEW_EVENT.format(actor="ghost"),
    "a_person_is_named": NEW_EVENT.format(actor="person"),
}


@pytest.fixture(scope="module")
def connection(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """One for all of them: nothing here is ever written."""
    url = postgres.create_database("checks", template=TEMPLATE)
    fill(url)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(("constraint", "statement"), BROKEN.items(), ids=BROKEN)
def test_postgres_refuses_what_breaks(
    connection: psycopg.Connection, constraint: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.IntegrityError) as refused:
        connection.execute(statement)
    assert refused.value.diag.constraint_name == constraint


def test_no_check_constraint_is_untested(connection: psycopg.Connection) -> None:
    found = connection.execute(
        "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    ).fetchall()
    # These are met in `test_guard_triggers`, under the name of what somebody would try to do.
    elsewhere = {
        "phase_is_known",
        "verdict_is_known",
        "basis_is_known",
        "deadline_inside_the_hour",
        "awaiting_is_undecided",
        "decided_says_when",
        "rejected_by_a_person_with_a_reason",
    }
    assert {name for (name,) in found} - set(BROKEN) - elsewhere == set()
