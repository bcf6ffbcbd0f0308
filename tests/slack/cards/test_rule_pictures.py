"""Cards that the rules hold, and those that went around them, as pictures. `UPDATE_PICTURES=1` takes them anew."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView
from app.gate.decision import Verdict
from app.gate.rules.checks import PROBE, Check, CheckState
from app.gate.rules.evaluation import RuleInputs, approvals_required, blockers_of, missing_approvals
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.permits import Basis
from app.gate.rules.policy import ApproverSource, PolicyOverride, Roster, Shift, Variant
from app.gate.rules.violations import ApprovalsRequired, CheckNotPassed, Frozen, NotNamed, OwnSwitch
from app.gate.state_machine import Decided
from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.slack.blocks.validate import message_problems
from app.slack.cards.card import render_card
from tests.slack.sample_gates import GATE, GRACE, NOON, OLU, ORDER, WAITING, view, vote

PICTURES: Final = Path(__file__).parent / "rule_pictures"

STRICT: Final = replace(
    ORDER,
    policy=replace(
        ORDER.policy,
        approvals=2,
        required_checks=("order-create smoke", "schema"),
        require=(ApproverSource(people=("S0DBA",), approvals=1),),
        variants=(
            Variant(name="canary", shifts=frozenset({Shift.CANARY}), changes=PolicyOverride(approvals=1)),
        ),
    ),
)
CHECKS: Final = (
    Check(
        name="order-create smoke",
        state=CheckState.FAILED,
        summary="2 of 10 orders were charged twice",
        url="https://ci.example.com/runs/7?a=1&b=2|3",
        by="api:ci",
        at=NOON,
    ),
    Check(name="schema", state=CheckState.PENDING, summary="", url=None, by=PROBE, at=NOON),
    Check(name="lint", state=CheckState.PASSED, summary="<!channel> *ok*", url=None, by="api:ci", at=NOON),
)
FREEZE: Final = Freeze(
    reason="payment incident",
    when=Span(start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=6)),
    by=GRACE,
)
BROKEN: Final = (
    Frozen(reason="payment incident", until=NOON + timedelta(hours=6), by=None),
    CheckNotPassed(name="order-create smoke", state=CheckState.FAILED),
    NotNamed(),
    OwnSwitch(),
    ApprovalsRequired(people=("S0ONCALL",), missing=2),
)


def waiting(**how: Any) -> GateView:
    gate = replace(WAITING, approved_by=frozenset({OLU}))
    return view(gate, votes=(vote(OLU, "olu"),), **how)


def rule_status(shown: GateView, domain: OwnedDomain, *freezes: Freeze) -> RuleStatus:
    case = replace(WAITING, approved_by=frozenset({OLU})).evaluation_context(
        policy=domain.policy,
        roster=Roster(groups={"S0ONCALL": frozenset({OLU})}),
        rule_inputs=RuleInputs(
            shift=Shift.CANARY,
            checks={check.name: check.state for check in shown.checks},
            freezes=freezes,
        ),
        now=NOON,
    )
    return RuleStatus(
        policy=case.policy,
        variants=case.rules.variants,
        unmet=(*blockers_of(case), *missing_approvals(case)),
        approvals_required=approvals_required(case),
        stale_groups=(("S0ONCALL", NOON - timedelta(minutes=9)), ("S0DBA", None)),
    )


HELD: Final = waiting(checks=CHECKS)
DECIDED: Final = Decided(id=GATE, verdict=Verdict.APPROVED, verified=True)
AT: Final = {"decided_at": NOON + timedelta(minutes=3)}
STATES: Final[dict[str, tuple[GateView, RuleStatus | None]]] = {
    "held": (HELD, rule_status(HELD, STRICT, FREEZE)),
    "owed": (
        waiting(),
        rule_status(waiting(), replace(STRICT, policy=replace(STRICT.policy, required_checks=()))),
    ),
    "break-glass": (
        view(
            DECIDED,
            basis=Basis.BREAK_GLASS,
            decided_by=GRACE,
            decided_name="grace",
            reason="customers cannot pay",
            overridden_rules=BROKEN,
            checks=CHECKS,
            **AT,
        ),
        None,
    ),
    "approved-itself": (
        view(DECIDED, basis=Basis.CHECKS, decided_name="checks", checks=CHECKS[2:], **AT),
        None,
    ),
}
EACH: Final = [(state, locale) for state in STATES for locale in LOCALES]


def drawn(state: str, locale: LocaleName) -> dict[str, Any]:
    shown, rules = STATES[state]
    texts = Texts.of(locale)
    card = render_card(shown, texts=texts, domain=STRICT, rule_status=rules)
    return {"text": card.text, "blocks": card.blocks}


@pytest.mark.parametrize(("state", "locale"), EACH)
def test_a_card_under_rules_looks_as_it_did(state: str, locale: LocaleName) -> None:
    picture = PICTURES / f"{state}.{locale}.json"
    now = json.dumps(drawn(state, locale), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("UPDATE_PICTURES"):
        picture.write_text(now, encoding="utf-8")
    assert now == picture.read_text(encoding="utf-8"), "if that is meant: UPDATE_PICTURES=1 make test"
    assert message_problems(drawn(state, locale)["blocks"]) == []
    assert "<!channel>" not in now


def test_a_failed_check_comes_before_the_health_of_green() -> None:
    said = json.dumps(drawn("held", "en")["blocks"], ensure_ascii=False)
    assert said.index("” failed*") < said.index(Texts.of("en")("evidence.looking"))


def test_no_picture_is_left_of_a_state_that_is_gone() -> None:
    assert {picture.name for picture in PICTURES.iterdir()} == {
        f"{state}.{locale}.json" for state, locale in EACH
    }
