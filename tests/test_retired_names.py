"""Names of ours that were replaced by the field's terms do not come back, neither as definitions nor in prose. The
lists grow with each word that is retired everywhere; ARCHITECTURE.md has the glossary of the words that stay."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel

import app.observability.metrics
import app.web.api.schemas
from app.db.audit_table import audit_events
from app.db.mapping.overridden_rules import RULE_NAMES
from app.flow.audit_events import EARLIER_KINDS, ActorKind, Kind
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.undo.intervention import InterventionFailure, InterventionPhase
from app.gate.decision import Verdict
from app.gate.rules.permits import Basis
from app.gate.state_machine import Outcome, Phase
from app.gate.undo import InterventionKind
from tests.docs.documents import pages, prose

ROOT: Final = Path(__file__).parent.parent
RETIRED_WORDS: Final = """
    Admission AGAIN Asking AwsRecovery Broken Callers Calm CannotAsk Canvas card_drawn card_posting CardNotDrawn
    CardVanished carry_out Case Changes CheckPresses Circumstances Counted Course Deed deeds DetailsDoor door Doors
    doors edition Errand Errands expire_now Fitness fitness foresee Foresight gather_evidence Glass GlassPresses
    Greeting hands hang_up Happened held_status HeldBack Herald Holding Homes HomeSeen House house Impossible InDoubt
    Interveners is_replayed know_deployer lasting LiveRules look_at_sides look_for_evidence Loop Manners Mark MOST
    Neighbour News No Nothing NotOurs Nudge nudge Outlook Owing PartUnread pass_freely Patience patience Presses
    Question Questions RateLimiter Readers RecordAway RESCUERS RETRY rivals room RuleErrands see Several Sight
    SlackCanvas SlackHerald SlackSide SlackThreads Sounding Stage standing_of Standpoint storable Storyteller
    take_check tells thanks tick Ticket Tiding Together told_as_away ToldCheck Trouble turn Turns TwoOwed Undoing
    unheard Unmet What why_not Wish Wrong
"""
RETIRED: Final = frozenset(RETIRED_WORDS.split())

RETIRED_IN_PROSE: Final = re.compile(
    r"\b(calm|canvas|deeds?|doors?|errands?|fitness|foresee|foresight|heralds?|houses?|hears|lasting|manners|neighbours?"
    r"|nudge[sd]?|nudging|owes|patience|rescue[srd]?|rescuers?|rooms?|sights?|soundings?|standing|standpoints?"
    r"|storytellers?|tidings?|tells|unheard|rulebook|br(?:oke|oken|eaks) (?:the )?glass)\b",
    re.IGNORECASE,
)
"""Words of an earlier vocabulary that plain technical English does not need, as a name or as a metaphor."""


def _defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


def test_no_retired_name_is_defined() -> None:
    files = [path for folder in ("app", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 700
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in _defined(ast.parse(path.read_text(encoding="utf-8")))
        if name in RETIRED
    }
    assert found == set()


def test_no_retired_word_is_in_prose() -> None:
    modules = [path for folder in ("app", "tests") for path in (ROOT / folder).rglob("*.py")]
    texts = [(path, line, text) for path in modules for line, text in prose(path)]
    texts += [
        (path, line, text)
        for path in pages()
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    assert len(texts) > 4000
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]}"
        for path, line, text in texts
        for match in RETIRED_IN_PROSE.finditer(text)
    ]
    assert found == []


WORDS_RETIRED_WHEN_STORED: Final = """
    asked asked_at asked_by asked_name broken contradicted deed digest edition ending goes_first green_serves heard_at
    link mark moved_at over_at own owed rescue rule_marks telling_channel telling_link telling_since telling_thread
    told told_at told_by told_link traffic_elsewhere turn_free turn_taken two_owed waits
"""
RETIRED_WHEN_STORED: Final = frozenset(WORDS_RETIRED_WHEN_STORED.split())
"""Tables, columns and values that migration 0024 renamed. Audit events of earlier releases keep their kinds."""

RETIRED_IN_METRICS: Final = re.compile(r"glass_broken|presse|homes|loop|told|drawn|door|errand|reach")
RETIRED_IN_LOG_EVENTS: Final = re.compile(
    r"press_|glass_(?!used|not_saved|failed)|loop_|errand|told|drawn|trouble|carried|several_|greeted|asked"
)


DEFINITIONS: Final = """
SELECT pg_get_constraintdef(oid) || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT prosrc || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def test_no_retired_name_is_stored() -> None:
    tables = {
        *audit_events.metadata.tables,
        *(column.name for table in audit_events.metadata.tables.values() for column in table.columns),
    }
    enums = (
        ActorKind,
        AnnouncementKind,
        Basis,
        InterventionFailure,
        InterventionKind,
        InterventionPhase,
        Kind,
        Outcome,
        Phase,
        Verdict,
    )
    values = {value.value for each in enums for value in each} | set(RULE_NAMES.values())
    assert len(tables) > 100
    assert (tables | values) & (RETIRED_WHEN_STORED | EARLIER_KINDS.keys()) == set()


def test_no_retired_name_is_a_field_of_the_api() -> None:
    fields = {
        field
        for each in vars(app.web.api.schemas).values()
        if isinstance(each, type) and issubclass(each, BaseModel)
        for field in each.model_fields
    }
    assert len(fields) > 40
    assert fields & (RETIRED_WHEN_STORED | {"fit", "how", "seen_at", "what", "why"}) == set()


def test_no_retired_name_is_a_value_in_the_database(database_url: str) -> None:
    """CHECK constraints, predicates of indexes and functions name no value that nothing writes any more."""
    with psycopg.connect(database_url) as connection:
        definitions = [row[0] for row in connection.execute(DEFINITIONS).fetchall()]
    named = {name for text in definitions for name in re.findall(r"\w+", text)}
    assert len(definitions) > 50
    assert named & RETIRED_WHEN_STORED <= {"told", "own"}  # English in the messages of exceptions


def test_no_retired_name_is_a_metric_or_a_log_event() -> None:
    metrics = [
        name
        for value in vars(app.observability.metrics).values()
        if isinstance(value, MetricWrapperBase)
        for name in (value._name, *value._labelnames)
    ]
    events = [
        argument.value
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for argument in node.args[:1]
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    assert len(metrics) > 20
    assert len(events) > 50
    assert [name for name in metrics if RETIRED_IN_METRICS.search(name)] == []
    assert [event for event in events if RETIRED_IN_LOG_EVENTS.search(event)] == []
