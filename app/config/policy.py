"""Builds the `Policy` of a domain from the tables of the file, and finds policies by which nothing could pass."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from app.config.tables.policy_tables import RULE_KEYS, PolicyTable, RuleKeys, Table, WhenTable, has_group
from app.config.tables.reminders import reminders_from
from app.gate.rules.policy import (
    ApprovalQuestion,
    ApproverSource,
    Policy,
    PolicyOverride,
    ReasonFor,
    RejectBy,
    Shift,
    UnknownDeployer,
    Variant,
)


def policy_from(default: PolicyTable, own: PolicyTable) -> Policy:
    """The keys of `own` override those of `default`, which override the built-in defaults."""
    given = {**_given(default), **_given(own)}
    table = PolicyTable.model_construct(**given)
    return Policy(
        approvers=tuple(table.approvers),
        approvals=table.approvals,
        own_deployment=table.own_deployment,
        deadline=timedelta(minutes=table.deadline_minutes),
        required_checks=tuple(table.required_checks),
        require=_sources(table),
        unknown_deployer=UnknownDeployer(table.unknown_deployer),
        reject=RejectBy(table.reject),
        reason=ReasonFor(table.reason),
        approve_when_checks_pass=table.approve_when_checks_pass,
        observe=table.mode == "observe",
        questions=_questions(table),
        variants=tuple(_variant(when) for when in table.when),
        finish_now=table.finish_now,
        notify=tuple(table.notify),
        reminder_settings=reminders_from(table),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyProblem:
    """Why no switch could ever be approved, and the key of [policy] that causes it."""

    key: str
    what: str
    remedy: str


def policy_problem(policy: Policy, *, asks_two: bool) -> PolicyProblem | None:
    """Why no switch could ever be approved; None: switches can be approved.

    `asks_two`: whether the file itself says that an unknown deployer needs two approvers.
    """
    problem = _never_passes(policy, asks_two=asks_two)
    if problem:
        return problem
    for variant in policy.variants:
        said = asks_two or variant.changes.unknown_deployer is not None
        problem = _never_passes(replace(policy, variants=(), **variant.changes.given()), asks_two=said)
        if problem:
            what = (
                f'"{variant.name}" gives rules by which nothing could ever pass: {problem.key} {problem.what}'
            )
            return PolicyProblem(key="when", what=what, remedy=problem.remedy)
    return None


def needs_known_deployer(policy: Policy) -> bool:
    """Whether an unknown deployer needs two approvers, and only one person can approve."""
    two = policy.unknown_deployer is UnknownDeployer.ASK_TWO and not policy.own_deployment
    return two and not has_group(policy.voters) and len(policy.voters) < 2


def _never_passes(policy: Policy, *, asks_two: bool) -> PolicyProblem | None:
    # Only Slack knows how many people a group has.
    people = len(policy.approvers)
    if not has_group(policy.approvers) and policy.approvals > people:
        return PolicyProblem(
            key="approvals",
            what=f"is {policy.approvals}, but only {people} can approve, so nothing could ever pass",
            remedy=f"Write at most {people}, or name more approvers.",
        )
    if asks_two and needs_known_deployer(policy):
        return PolicyProblem(
            key="unknown_deployer",
            what="asks two people, but only 1 can approve",
            remedy='Name more approvers, or write unknown_deployer = "allow".',
        )
    if policy.approve_when_checks_pass and not policy.required_checks:
        return PolicyProblem(
            key="approve_when_checks_pass",
            what="is true, but no check is required that could pass",
            remedy="Name one in required_checks, or leave this line out.",
        )
    if policy.approve_when_checks_pass and policy.questions:
        return PolicyProblem(
            key="approve_when_checks_pass",
            what="is true, but a question is asked, which only people answer, so it would have no effect",
            remedy="Leave this line out, or write ask = [].",
        )
    return None


def _given(table: Table) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.model_fields_set}


def _sources(table: RuleKeys) -> tuple[ApproverSource, ...]:
    return tuple(
        ApproverSource(people=tuple(each.source), approvals=each.approvals) for each in table.require
    )


def _questions(table: RuleKeys) -> tuple[ApprovalQuestion, ...]:
    return tuple(ApprovalQuestion(text=each.question, required=each.required) for each in table.ask)


def _variant(table: WhenTable) -> Variant:
    given = {name: value for name, value in _given(table).items() if name in RULE_KEYS}
    return Variant(
        name=table.name,
        hours=table.when(),
        shifts=frozenset(Shift(shift.replace("-", "_")) for shift in table.shift),
        changes=PolicyOverride(
            approvers=tuple(given["approvers"]) if "approvers" in given else None,
            approvals=given.get("approvals"),
            own_deployment=given.get("own_deployment"),
            required_checks=tuple(given["required_checks"]) if "required_checks" in given else None,
            require=_sources(table) if "require" in given else None,
            unknown_deployer=UnknownDeployer(table.unknown_deployer) if "unknown_deployer" in given else None,
            reject=RejectBy(table.reject) if "reject" in given else None,
            reason=ReasonFor(table.reason) if "reason" in given else None,
            approve_when_checks_pass=given.get("approve_when_checks_pass"),
            questions=_questions(table) if "ask" in given else None,
        ),
    )
