"""Break-glass: who may, what it names, what it never overrides; and a retracted vote."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from app.db.mapping.overridden_rules import RULE_NAMES, overridden_rules_from_json, overridden_rules_to_json
from app.gate.decision import Approval
from app.gate.ids import DeploymentId, DomainName, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.checks import CheckState
from app.gate.rules.denials import Denial, NotAMember, NotAnAdmin, NothingToBreak, ReasonMissing, RulesChanged
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.permits import Basis, rules_to_override
from app.gate.rules.violations import (
    ApprovalsRequired,
    CheckNotPassed,
    ExcludedBySwitch,
    ForeignTargetGroup,
    Frozen,
    GreenReceivesTraffic,
    GreenUnhealthy,
    NotNamed,
    Outvoted,
    OwnSwitch,
    PredecessorPending,
    SecondApproverRequired,
    ShiftUnknown,
    Violation,
    rule_fingerprint,
)
from app.gate.state_machine import Awaiting, CardIsOld, NotVerified, NoVote, TooLate
from app.gate.votes import Choice, Vote
from app.i18n.catalog import Texts
from app.slack.text.violations import rule_text
from tests.gate.rules.cases import ANA, BEN, CHO, EVE, NOW, POLICY, ROSTER, Scene

FREEZE = Freeze(reason="incident", when=Span(start=NOW, end=NOW + timedelta(hours=1)), by=None)
STRICT = replace(POLICY, approvals=2, required_checks=("smoke",))
ADMINS = ("SADMIN",)
EVERY_RULE: tuple[Violation, ...] = (
    ApprovalsRequired(people=("SONCALL", "UANA"), missing=2),
    SecondApproverRequired(missing=1),
    Outvoted(against=1),
    CheckNotPassed(name="smoke", state=CheckState.FAILED),
    CheckNotPassed(name="smoke", state=None),
    Frozen(reason="incident", until=NOW, by=EVE),
    Frozen(reason="holiday", until=NOW, by=None),
    ShiftUnknown(),
    NotNamed(),
    OwnSwitch(),
    ExcludedBySwitch(
        domain=DomainName("payment"),
        deployment=DeploymentId("d-2"),
        since=NOW,
        switched=False,
        ahead=(DomainName("auth"),),
    ),
    ExcludedBySwitch(domain=DomainName("payment"), deployment=DeploymentId("d-2"), since=NOW, switched=True),
    PredecessorPending(domain=DomainName("auth"), deployment=DeploymentId("d-3"), waits=True),
    PredecessorPending(domain=DomainName("auth"), deployment=DeploymentId("d-3"), waits=False),
    GreenReceivesTraffic(port=8020, percent=10),
    ForeignTargetGroup(port=8020, percent=40, target_groups=("canary", "legacy")),
    GreenUnhealthy(unhealthy=2, total=3),
)


def person(user: UserId, account_status: AccountStatus = AccountStatus.MEMBER) -> Person:
    return Person(user=user, name=user.lower(), account_status=account_status)


def fingerprints(*rules: Violation) -> frozenset[str]:
    return frozenset(map(rule_fingerprint, rules))


def broken(
    scene: Scene,
    who: Person,
    *,
    named: frozenset[str] | None = None,
    reason: str = "customers cannot pay",
    gate: Awaiting | None = None,
    prompt_version: int = 1,
) -> Approval:
    """Uses break-glass after being shown the rules of this moment, unless `named` says which."""
    shown = fingerprints(*rules_to_override(scene.case(scene.gate), who)) if named is None else named
    return (gate or scene.gate).break_glass(
        Vote(person=who, choice=Choice.APPROVE, reason=reason, at=scene.now),
        prompt_version=prompt_version,
        policy=scene.policy,
        roster=ROSTER,
        rule_inputs=scene.rule_inputs,
        admins=ADMINS,
        named=shown,
    )


def test_the_permit_has_every_overridden_rule() -> None:
    permit = broken(Scene(policy=STRICT, freezes=(FREEZE,)), person(EVE)).permit
    assert (permit.basis, permit.by, permit.reason) == (Basis.BREAK_GLASS, EVE, "customers cannot pay")
    assert permit.overridden_rules == (
        Frozen(reason="incident", until=NOW + timedelta(hours=1), by=None),
        CheckNotPassed(name="smoke", state=None),
        NotNamed(),
        ApprovalsRequired(people=("SONCALL",), missing=2),
    )


def test_an_admin_who_may_approve_too_is_one_of_the_approvals() -> None:
    permit = broken(Scene(policy=STRICT, checks={"smoke": CheckState.PASSED}), person(ANA)).permit
    assert permit.overridden_rules == (ApprovalsRequired(people=("SONCALL",), missing=1),)


def test_an_admin_may_override_that_they_deployed_it_themselves() -> None:
    permit = broken(Scene(deployer=ANA), person(ANA)).permit
    assert permit.overridden_rules == (OwnSwitch(), ApprovalsRequired(people=("SONCALL",), missing=1))


@pytest.mark.parametrize(
    ("scene", "who", "how", "refusal"),
    [
        (Scene(policy=STRICT), person(BEN), {}, NotAnAdmin),
        (Scene(policy=STRICT), person(EVE, AccountStatus.GUEST), {}, NotAMember),
        (Scene(policy=STRICT), person(EVE, AccountStatus.UNKNOWN), {}, NotAMember),
        (Scene(), person(ANA), {}, NothingToBreak),
        (Scene(policy=STRICT), person(EVE), {"reason": " \n"}, ReasonMissing),
        (Scene(policy=STRICT), person(EVE), {"named": fingerprints(NotNamed())}, RulesChanged),
        (Scene(policy=STRICT), person(EVE), {"named": frozenset()}, RulesChanged),
        (Scene(policy=STRICT), person(EVE), {"prompt_version": 2}, CardIsOld),
        (Scene(policy=STRICT), person(EVE), {"gate": replace(Scene().gate, verified=False)}, NotVerified),
        (Scene(policy=STRICT), person(EVE), {"gate": replace(Scene().gate, deadline_at=NOW)}, TooLate),
    ],
)
def test_break_glass_is_denied_for(
    scene: Scene, who: Person, how: dict[str, object], refusal: type[Denial]
) -> None:
    with pytest.raises(refusal):
        broken(scene, who, **how)  # type: ignore[arg-type]  # each row gives what it needs


def test_a_rule_that_came_to_be_broken_while_the_form_was_open_has_to_be_read_first() -> None:
    shown = fingerprints(*rules_to_override(Scene(policy=STRICT).case(Scene().gate), person(EVE)))
    frozen_since = Scene(policy=STRICT, freezes=(FREEZE,))
    with pytest.raises(RulesChanged) as changed:
        broken(frozen_since, person(EVE), named=shown)
    assert changed.value.overridden_rules == rules_to_override(
        frozen_since.case(frozen_since.gate), person(EVE)
    )


def test_a_rule_that_has_been_met_meanwhile_is_not_in_the_permit() -> None:
    shown = fingerprints(*rules_to_override(Scene(policy=STRICT).case(Scene().gate), person(EVE)))
    permit = broken(
        Scene(policy=STRICT, checks={"smoke": CheckState.PASSED}), person(EVE), named=shown
    ).permit
    assert permit.overridden_rules == (NotNamed(), ApprovalsRequired(people=("SONCALL",), missing=2))


def test_a_vote_is_taken_back_by_its_voter_alone() -> None:
    gate = Scene(approved=(ANA,), rejected=(CHO,)).gate
    assert gate.retract_vote(ANA, now=NOW).approved_by == frozenset()
    assert gate.retract_vote(CHO, now=NOW).rejected_by == frozenset()
    with pytest.raises(NoVote):
        gate.retract_vote(BEN, now=NOW)
    with pytest.raises(TooLate):
        gate.retract_vote(ANA, now=gate.deadline_at)


def test_every_rule_is_kept_in_the_record_and_read_back() -> None:
    stored = overridden_rules_to_json(EVERY_RULE)
    assert stored is not None
    assert overridden_rules_from_json(json.loads(stored)) == EVERY_RULE
    assert set(RULE_NAMES) == set(get_args(Violation)) == {type(rule) for rule in EVERY_RULE}
    assert overridden_rules_to_json(()) is None


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: type(rule).__name__)
def test_every_rule_has_a_sentence_while_it_is_violated_and_once_it_was_overridden(rule: Violation) -> None:
    said = {
        rule_text(rule, texts=Texts.of(language), tense=tense)
        for language in ("en", "ko")
        for tense in ("unmet", "broken")
    }
    assert len(said) == 4
