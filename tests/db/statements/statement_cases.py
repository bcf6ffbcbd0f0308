"""Every statement of `app.db`, with values by which it finds rows beside a long history."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import Delete, Executable, Insert, Select, Update, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

import app.db
from app.db.audit_insert import events_parameter
from app.db.audit_lock import audit_lock_name
from app.db.leases import Work, claim_statement, renew_statement
from app.db.repositories.deployers import GITHUB_ACTOR_PATH
from app.flow.audit_events import Kind
from app.gate.rules.exclusivity import AFTER_ALLOW_TRAFFIC
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS
from tests.db.gate_builders import event, key

IS_STATEMENT: Final = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
PARTS: Final = {"GATE_VIEW", "GATE_VIEW_WITH_EVIDENCE"}
"""What statements are made of."""
TEMPLATE: Final = re.compile(r"\{\w+\}")
Statement = str | Select[Any] | Insert | Update | Delete
OWNER: Final = UUID(int=7)
AWAITING, DECIDED, REPORTED, ROLLBACK = (UUID(int=number) for number in range(101, 105))

# Four live switches: one waits, one is decided, the third is being undone by the fourth. Their work is due to OWNER.
LIVE: Final = (
    """
    INSERT INTO switches (account, region, deployment_id, domain, application, deployment_group, creator, deployed_by,
        status, first_seen_at, verified_at, due_at, previous_stale_since, rollback_id, traffic, traffic_stale_at)
    SELECT '123456789012', 'ap-northeast-2', 'd-live-' || n, 'order', 'order-app', 'order-dg',
        CASE n WHEN 4 THEN 'codeDeployRollback' ELSE 'user' END, 'somebody@example.com', 'InProgress', %(now)s, %(now)s,
        %(now)s, %(now)s, CASE n WHEN 3 THEN 'd-live-4' END, '{"shift": "all_at_once", "percent": 100, "minutes": 0}',
        %(now)s
    FROM generate_series(1, 4) n
    """,
    """
    INSERT INTO gates (id, switch_id, execution_hash, execution_id, hook_name, phase, opened_at, deadline_at, remind_at)
    SELECT lpad(to_hex(100 + n), 32, '0')::uuid, s.id, 'hash' || n, 'secret', 'BeforeAllowTraffic', 'awaiting', %(now)s,
        %(now)s, %(now)s
    FROM generate_series(1, 4) n JOIN switches s ON s.deployment_id = 'd-live-' || n
    """,
    """
    UPDATE gates SET phase = 'decided', verdict = 'approved', basis = 'votes', decided_at = %(now)s, decided_by = 'U1',
        decided_name = 'Ana' WHERE id = ANY(%(decided)s)
    """,
    """
    UPDATE gates SET phase = 'reported', outcome = 'acknowledged', outcome_detail = 'Succeeded', execution_id = NULL,
        reported_at = %(now)s WHERE id = ANY(%(reported)s)
    """,
    """
    INSERT INTO votes (gate_id, voter, name, choice, voted_at)
    SELECT id, 'U1', 'Ana', 'approve', %(now)s FROM gates WHERE phase <> 'closed'
    """,
    "UPDATE gates SET shown_by = %(shows)s, returns = false WHERE id = %(shown)s",
    "INSERT INTO cards (gate_id, due_at) SELECT id, %(now)s FROM gates WHERE phase <> 'closed'",
    "INSERT INTO threads (gate_id, due_at) SELECT id, %(now)s FROM gates WHERE phase <> 'closed'",
    "INSERT INTO evidence (gate_id, due_at) SELECT id, %(now)s FROM gates WHERE phase <> 'closed'",
    "INSERT INTO reports (gate_id, answer, due_at) SELECT id, 'Succeeded', %(now)s FROM gates WHERE phase = 'decided'",
    """
    INSERT INTO card_copies (gate_id, channel, ts, found_at, due_at)
    SELECT id, 'C01DEPLOY', '1764000000.000100', %(now)s, %(now)s FROM gates WHERE phase = 'awaiting'
    """,
    """
    INSERT INTO announcements (gate_id, kind, written_at, due_at)
    SELECT id, 'break_glass', %(now)s, %(now)s FROM gates WHERE phase = 'decided'
    """,
    """
    INSERT INTO channel_announcements (kind, channel, detail, written_at, due_at)
    VALUES ('freeze_ended', 'C01DEPLOY', '{"freezes": [], "domains": null, "by": null}', %(now)s, %(now)s)
    """,
    "INSERT INTO subscriptions (person, domains, locale, changed_at) VALUES ('U1', '{order}', 'en', %(now)s)",
    """
    INSERT INTO direct_messages (gate_id, person, written_at, due_at)
    SELECT id, 'U1', %(now)s, %(now)s FROM gates WHERE phase = 'decided'
    """,
    """
    INSERT INTO probe_runs (gate_id, name, requested_at, due_at)
    SELECT id, 'smoke', %(now)s, %(now)s FROM gates WHERE phase = 'decided'
    """,
    """
    INSERT INTO checks (account, region, deployment_id, name, state, reported_by, reported_at)
    SELECT account, region, deployment_id, 'smoke', 'passed', 'api:ci', %(now)s FROM switches WHERE ended_at IS NULL
    """,
    """
    INSERT INTO interventions (id, switch_id, kind, requested_by, requested_name, reason, requested_at, deployment_id,
        due_at)
    SELECT %(asked)s, id, 'stop', 'U1', 'Ana', 'Orders fail.', %(now)s, 'd-live-4', %(now)s FROM switches
    WHERE deployment_id = 'd-live-3'
    """,
    """
    INSERT INTO freezes (domains, starts_at, ends_at, reason, declared_by, declared_at)
    VALUES ('{order,hub}', %(now)s, %(now)s + interval '1 hour', 'stock-taking', 'U1', %(now)s)
    """,
    *(
        f"UPDATE {work} SET claimed_by = '{OWNER}', claimed_until = %(now)s WHERE due_at IS NOT NULL"
        for work in get_args(Work)
    ),
)


def statements() -> Iterator[tuple[str, Statement]]:
    """Name and statement of each: the constants that are whole statements, and what functions make.

    A text that stands within another one is a part, and is tried as part of that.
    """
    texts: dict[str, str] = {}
    modules = [module.name for module in pkgutil.walk_packages(app.db.__path__, "app.db.")]
    expressions: dict[int, tuple[str, Statement]] = {}
    for module in sorted(modules, key=_leaf):
        for name, value in vars(importlib.import_module(module)).items():
            if isinstance(value, str) and IS_STATEMENT.match(value) and not TEMPLATE.search(value):
                texts.setdefault(value, f"{_leaf(module)}.{name}")
            if isinstance(value, Select | Insert | Update | Delete) and name.isupper() and name not in PARTS:
                expressions.setdefault(id(value), (f"{_leaf(module)}.{name}", value))
    for statement, name in texts.items():
        if not any(statement in other and statement != other for other in texts):
            yield name, statement
    yield from expressions.values()
    for work in get_args(Work):
        yield f"leases.claim_statement({work})", claim_statement(work)
        yield f"leases.renew_statement({work})", renew_statement(work)


def parameters_of(statement: Statement) -> set[str]:
    """The names of the parameters that need a value."""
    return {name for name, bind in _compile(statement).binds.items() if bind.required}


def for_driver(statement: Statement, values: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The statement and its parameters as SQLAlchemy gives them to the driver."""
    state = _compile(statement).construct_expanded_state(values)
    processors = state.processors
    known = {
        name: processors[name](value) if name in processors else value
        for name, value in state.parameters.items()
    }
    return state.statement.encode(), known


def _compile(statement: Statement) -> SQLCompiler:
    executable = text(statement) if isinstance(statement, str) else statement
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # not annotated
    found = executable.compile(dialect=dialect, column_keys=_columns_of(executable))
    assert isinstance(found, SQLCompiler)
    return found


def _columns_of(statement: Executable) -> list[str] | None:
    """Of an INSERT whose columns are those of its parameters: the columns that have no default."""
    if not isinstance(statement, Insert) or statement.select is not None:
        return None
    columns = statement.table.columns
    return [each.name for each in columns if not each.nullable and each.server_default is None]


def run(
    connection: psycopg.Connection, statement: Statement, values: Mapping[str, Any], *, prepare: bool = False
) -> psycopg.Cursor[Any]:
    """Runs it without SQLAlchemy's connection."""
    sql, known = for_driver(statement, values)
    return connection.execute(sql, known, prepare=prepare)


def _leaf(module: str) -> str:
    return module.rpartition(".")[2]


def go_live(url: str, *, now: datetime) -> None:
    """Writes the live switches into a database."""
    values = {
        "now": now,
        "decided": [DECIDED, REPORTED, ROLLBACK],
        "reported": [REPORTED, ROLLBACK],
        "asked": uuid4(),
        "shows": REPORTED,
        "shown": ROLLBACK,
    }
    with psycopg.connect(url) as connection:
        for statement in LIVE:
            connection.execute(statement, values)


class Values:
    """Values by the name of a parameter. Where statements mean different things by one, by the statement too."""

    def __init__(self, url: str, *, now: datetime) -> None:
        with psycopg.connect(url) as connection:

            def first(statement: str) -> Any:
                row = connection.execute(statement).fetchone()
                assert row is not None, statement
                return row[0]

            switches: dict[str, int] = dict(
                connection.execute("SELECT deployment_id, id FROM switches WHERE ended_at IS NULL").fetchall()
            )
            copy = first("SELECT id FROM card_copies")
            announcement = first("SELECT id FROM announcements WHERE due_at IS NOT NULL")
            for_channel = first("SELECT id FROM channel_announcements WHERE due_at IS NOT NULL")
            direct = first("SELECT id FROM direct_messages WHERE due_at IS NOT NULL")
            probe = first("SELECT id FROM probe_runs WHERE due_at IS NOT NULL")
            freeze = first("SELECT id FROM freezes WHERE ended_at IS NULL")
            intervention = first("SELECT id FROM interventions WHERE due_at IS NOT NULL")
            old_gate = first("SELECT id FROM gates WHERE domain = 'retired' ORDER BY opened_at LIMIT 1")
        chain = audit_lock_name(key("d-live-3"))
        self._by_name: Mapping[str, Any] = {
            **dict.fromkeys(
                ("at", "now", "before", "seen_at", "decided_at", "closed_at", "reported_at"), now
            ),
            **dict.fromkeys(
                ("due_at", "until", "following", "starts_at", "hook_started_at", "created_at"), now
            ),
            **dict.fromkeys(("verified_at", "was_due", "switched_at", "blue_until"), now),
            **dict.fromkeys(("ends_at", "deadline_at", "remind_at"), now + timedelta(minutes=50)),
            **dict.fromkeys(
                (
                    "uncertain",
                    "settled",
                    "speaks",
                    "redraw",
                    "done",
                    "news",
                    "frozen",
                    "awaiting_exclusivity",
                ),
                True,
            ),
            **dict.fromkeys(("was_frozen", "was_awaiting", "auto_rollback"), False),
            **dict.fromkeys(("by", "deployer", "voter", "decided_by", "person"), "U1"),
            **dict.fromkeys(("name", "voter_name", "decided_name", "named", "probe"), "smoke"),
            **dict.fromkeys(
                ("reason", "error", "problem", "summary", "vote_reason", "detail", "description"), "why"
            ),
            **dict.fromkeys(
                (
                    "url",
                    "overridden_rules",
                    "rollback_of",
                    "rollback_id",
                    "old",
                    "announcement",
                    "config_name",
                ),
                None,
            ),
            **dict.fromkeys(
                ("next_due_at", "next_seen_at", "requested_before", "opened_before", "posted_at"), now
            ),
            **dict.fromkeys(("next_blockers", "why", "failure_code", "failure_detail"), None),
            **dict.fromkeys(("next_seq", "posted_seq"), 1),
            **dict.fromkeys(("who", "person"), "U1"),
            "announced": "undo_failed",
            "act": "freeze_ended",
            "act_detail": "{}",
            "about": "",
            "of_deployment": "d-live-3",
            **dict.fromkeys(("to_channel", "next_channel"), "C01DEPLOY"),
            **dict.fromkeys(("written_at", "changed_at"), now),
            "locale": "en",
            "persons": ["U2"],
            "for_domains": ["order"],
            "own": [True],
            "next_seen": "{}",
            "next_channel": "C01DEPLOY",
            "posted_ts": "1764000000.000100",
            "in_account": "123456789012",
            "of_region": "ap-northeast-2",
            "in_region": "ap-northeast-2",
            "of_kind": "stop",
            "removed": ["order"],
            "deployment_created_at": now,
            "user": "U1",
            "freeze": None,
            **dict.fromkeys(("declared_at", "requested_at", "deadline"), now),
            **dict.fromkeys(("declared_by", "reported_by", "requested_by", "requested_name"), "U1"),
            "switch_id": switches["d-live-1"],
            "kind": "stop",
            "given_up": intervention,
            **{f"seen_{name}": now for name in ("hook_started_at", "switched_at", "blue_until")},
            **{f"seen_{name}": now for name in ("traffic_moved_at", "traffic_read_at", "shift_ended_at")},
            "seen_traffic_unknown": True,
            "next_live": "{}",
            "seen_status": "Succeeded",
            "seen_traffic": '{"shift": "all_at_once", "percent": 100, "minutes": 0}',
            "seen_green_percent": 100,
            "seen_rollback_id": None,
            "seen_auto_rollback": False,
            **dict.fromkeys(("revision", "obstacle"), None),
            **dict.fromkeys(("reminder",), now),
            "prompt": 2,
            "of_domain": "order",
            **dict.fromkeys(("ended_verdict", "ended_as"), None),
            "check": "smoke",
            "explanation": "why",
            "copy": copy,
            "end": "done",
            **dict.fromkeys(("green_unknown", "previous_read", "vanished"), False),
            **dict.fromkeys(("blockers", "previous_obstacle", "thread"), None),
            **dict.fromkeys(("passes", "differs", "event_read", "observes"), True),
            "undo": intervention,
            **dict.fromkeys(("requested_before", "stale_before", "last_synced_at"), now),
            **dict.fromkeys(("entries", "members"), ["U1"]),
            "entry": "S0ONCALL",
            "discounted": [],
            "answers": '[{"question": "Was a test order placed?", "confirmed": true}]',
            "codedeploy_status": "Succeeded",
            "request": "a-request",
            **dict.fromkeys(("token", "build"), "ci"),
            "posted": True,
            "since": now,
            "named_deployers": [],
            "shown": "Ana",
            "tag": GITHUB_ACTOR_PATH,
            "after": 0,
            "skip": [],
            "heard": "{}",
            "account": "123456789012",
            "region": "ap-northeast-2",
            **dict.fromkeys(("deployment", "deployment_id"), "d-live-3"),
            **dict.fromkeys(("domain",), "order"),
            "domains": ["order", "payment"],
            "tables": ["gates"],
            "application": "order-app",
            "deployment_group": "order-dg",
            "listener_port": 8020,
            "creator": "user",
            "deployed_by": "somebody",
            "rescuers": sorted(AUTO_ROLLBACK_CREATORS),
            "logins": ["somebody"],
            "hooks": ["BeforeAllowTraffic"],
            "hook_name": "BeforeAllowTraffic",
            "after_traffic": AFTER_ALLOW_TRAFFIC,
            "names": ["other"],
            "owner": OWNER,
            "busy": [],
            "limit": 5,
            "offset": 0,
            "gate": AWAITING,
            "gates": [AWAITING, DECIDED, REPORTED, ROLLBACK, old_gate],
            "ids": [switches["d-live-3"], switches["d-live-4"]],
            "id": switches["d-live-3"],
            "switch": switches["d-live-3"],
            "key": AWAITING,
            "audit_lock": chain,
            "new_audit_lock": audit_lock_name(key("d-live-4")),
            "channel": "C01DEPLOY",
            "ts": "1764000000.000100",
            "fingerprint": "f",
            "version": 1,
            "prompt_version": 2,
            "seq": 1,
            "shift": "all_at_once",
            "seen": "{}",
            "traffic": '{"shift": "all_at_once", "percent": 100, "minutes": 0}',
            "green_percent": 100,
            "previous_revision": "order:41",
            "status": "Succeeded",
            "end_reason": "Succeeded",
            "state": "passed",
            "execution_hash": "new",
            "execution_id": "secret",
            "events": events_parameter([event(Kind.GATE_OPENED, "d-live-3", at=now)]),
            "phase": "done",
            "verdict": "approved",
            "basis": "votes",
            "outcome": "acknowledged",
            "answer": "Succeeded",
            "choice": "approve",
        }
        rescheduled = [
            {"id": id_, "due_at": now.isoformat(), "was_due": now.isoformat()} for id_ in switches.values()
        ]
        work = {
            "switches": switches["d-live-3"],
            "card_copies": copy,
            "interventions": intervention,
            "announcements": announcement,
            "channel_announcements": for_channel,
            "direct_messages": direct,
            "probe_runs": probe,
            "reports": DECIDED,
        }
        self._by_statement: Mapping[str, Mapping[str, Any]] = {
            "announcements": {"id": announcement, "ids": [announcement], "key": announcement},
            "channel_announcements": {"id": for_channel, "ids": [for_channel], "key": for_channel},
            "direct_messages": {"id": direct, "ids": [direct], "key": direct},
            "probes": {"id": probe, "ids": [probe], "key": probe},
            "interventions": {"id": intervention, "ids": [intervention], "key": intervention},
            "interventions.INSERT_INTERVENTION": {"id": uuid4(), "kind": "finish"},
            "interventions.STORE_FAILED": {"why": "why"},
            "card_copies": {"id": copy, "ids": [copy], "key": copy, "copy": copy},
            "channels.STORE_ID_CHANGE": {"old": "C01DEPLOY", "new": "C02DEPLOY"},
            "deployers.INVALIDATE_CARDS": {"switch": switches["d-live-1"]},
            "deployers.STORE_DEPLOYER": {"named": ["U1"], "before": [], "id": switches["d-live-1"]},
            "previous_cards.CLEAR_STALE": {"id": switches["d-live-1"]},
            "previous_cards.INVALIDATE_PREVIOUS_CARD": {"before": switches["d-live-4"]},
            "previous_cards.MAKE_EARLIER_DUE": {"before": switches["d-live-4"]},
            "interventions.STORE_SENT": {"deployment": "d-live-5", "done": False},
            "freezes": {"freeze": freeze, "ids": [freeze]},
            "freezes.STORE_RULE_STATUS": {"awaiting_exclusivity": False},
            "reports": {"gate": DECIDED, "key": DECIDED},
            "switches": {"key": switches["d-live-3"]},
            "switches.RESCHEDULE": {"rescheduled": json.dumps(rescheduled)},
            "locked_switch.CLOSE_GATE": {"gate": REPORTED, "ended_as": "acknowledged"},
            "locked_switch.END_SWITCH": {"switch": switches["d-live-4"], "why": "Stopped"},
            "reports.STORE_OUTCOME": {"gate": DECIDED, "result": "acknowledged"},
            "probes.STORE_RESULT": {"result": "passed", "by": "probe"},
            "memberships.UPSERT_MEMBERSHIP": {"entry": "S0OTHER"},
            "audit_lock.LOCK_ROLLED_BACK_AUDIT": {"id": switches["d-live-4"]},
            "settled_interventions.END_INTERVENTIONS_WAITING_FOR": {"deployment": "d-live-4"},
            "locked_switch.STORE_OBSERVATION": {"switch": switches["d-live-4"]},
            "search.GATES_BY_ID": {"ids": [AWAITING, DECIDED, old_gate]},
            "open_gate": {
                "gate": uuid4(),
                "deployment_id": "d-live-5",
                "audit_lock": audit_lock_name(key("d-live-5")),
            },
            "open_gate.OPEN_ROLLBACK": {"rollback_of": "d-live-3"},
            "rolled_back.SELECT_ROLLED_BACK": {"switch": switches["d-live-4"], "rollback_of": "d-live-3"},
            "rolled_back.STORE_SHOWING_GATE": {"switch": switches["d-live-4"]},
            "cards.STORE_SHOWN": {"gate": ROLLBACK},
            "gates.SELECT_BY_EXECUTION": {"deployment_id": "d-live-1", "execution_hash": "hash1"},
            "evidence.MAKE_DUE": {"now": now - timedelta(seconds=1)},
            "checks": {"switch": switches["d-live-1"], "deployment": "d-live-1"},
            "checks.DELETE_ORPHANED_CHECKS": {"before": now - timedelta(days=7)},
            **{f"leases.renew_statement({name})": {"key": key_} for name, key_ in work.items()},
        }

    def of(self, name: str, statement: Statement) -> dict[str, Any]:
        """Raises `KeyError` naming a parameter of which nothing is known: give it a value above."""
        module = name.partition(".")[0]
        special = {**self._by_statement.get(module, {}), **self._by_statement.get(name, {})}
        wanted = parameters_of(statement)
        return {each: special[each] if each in special else self._by_name[each] for each in wanted}
