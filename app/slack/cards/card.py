"""Renders a gate as a card. The same gate always gives the same card."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import Block, context, fields, header, section, when
from app.slack.cards.approval_status import (
    approval_status_blocks,
    approver_lines,
    overridden_rule_blocks,
)
from app.slack.cards.checks import check_blocks, split_check_blocks
from app.slack.cards.decision import card_stage, decision_reasons, decision_text, outcome_text
from app.slack.cards.decision_buttons import decision_buttons
from app.slack.cards.evidence import evidence_blocks
from app.slack.cards.progress import progress_blocks, progress_buttons
from app.slack.text.escape import inline, quoted
from app.slack.text.switch import (
    creator,
    deployment_link,
    domain_name,
    traffic_text,
)
from app.slack.text.undo_options import undo_warnings

NONE_CLOSED: Final[Mapping[str, str]] = MappingProxyType({})


def card_blocks(
    view: GateView,
    *,
    texts: Texts,
    domain: OwnedDomain | None,
    rule_status: RuleStatus | None = None,
    closed_channels: Mapping[str, str] = NONE_CLOSED,
) -> list[Block]:
    """The card's blocks. `domain` is None while the gate is unverified or its domain is no longer configured.

    `rule_status`: the rules as they apply now; None once the gate is decided. `closed_channels`: those in which
    Slack refuses messages, with its reason.
    """
    blocks = [header(texts(f"card.header.{card_stage(view)}", domain=domain_name(view, texts)))]
    if isinstance(view.gate, Awaiting):
        blocks += _waiting(view, texts=texts, domain=domain, rule_status=rule_status)
        blocks += _escalation_warning(domain, closed_channels, texts)
    else:
        blocks += _ended(view, texts=texts, domain=domain)
    return blocks


def _escalation_warning(domain: OwnedDomain | None, closed: Mapping[str, str], texts: Texts) -> list[Block]:
    """A warning that the escalation channel cannot be reached."""
    to = domain.policy.reminder_settings.escalate_to if domain else None
    if to is None or to not in closed:
        return []
    return [context(texts("card.escalation_closed", channel=f"<#{to}>", why=inline(closed[to])))]


def _waiting(
    view: GateView, *, texts: Texts, domain: OwnedDomain | None, rule_status: RuleStatus | None
) -> list[Block]:
    facts = _facts(view, texts) + [
        (texts("card.field.deadline"), when(view.deadline_at)),
        (texts("card.field.who"), _approvers(domain, rule_status, texts)),
    ]
    wrong, checks = split_check_blocks(view, texts=texts)
    blocks = [fields(facts), *wrong, *evidence_blocks(view, texts=texts)]
    blocks += [*map(section, undo_warnings(view, texts)), *_description(view, texts)]
    if not view.switch.verified:
        return [*blocks, section(texts("card.unverified"))]
    if domain is None:
        return [*blocks, section(texts("card.unconfigured"))]
    blocks += checks
    blocks += approval_status_blocks(view, policy=domain.policy, rule_status=rule_status, texts=texts)
    buttons = decision_buttons(view, texts=texts, block_id=f"decide.{view.version}", rule_status=rule_status)
    return [*blocks, buttons, context(texts("card.no_answer_is_no"))]


def _ended(view: GateView, *, texts: Texts, domain: OwnedDomain | None) -> list[Block]:
    blocks = [section(decision_text(view, texts)), *overridden_rule_blocks(view, texts=texts)]
    blocks += [section(why) for why in decision_reasons(view)]
    blocks.append(section(outcome_text(view, texts)))
    blocks += check_blocks(view, texts=texts)
    blocks += progress_blocks(view, texts=texts)
    buttons = progress_buttons(view, texts=texts, domain=domain)
    seen = evidence_blocks(view, texts=texts)
    return [*blocks, fields(_facts(view, texts)), *seen, *_description(view, texts), *buttons]


def _facts(view: GateView, texts: Texts) -> list[tuple[str, str]]:
    switch = view.switch
    facts = [(texts("card.field.deployment"), deployment_link(view))]
    if switch.application:
        both = f"{inline(switch.application)} / {inline(switch.deployment_group or '')}"
        facts.append((texts("card.field.group"), both))
        facts.append((texts("card.field.creator"), creator(view)))
        facts.append((texts("card.field.traffic"), traffic_text(switch.traffic, texts)))
    if switch.listener_port:
        facts.append((texts("card.field.port"), str(switch.listener_port)))
    asked = "opened" if isinstance(view.gate, Awaiting) else "asked"
    facts.append((texts(f"card.field.{asked}"), when(view.opened_at)))
    return facts


def _description(view: GateView, texts: Texts) -> Sequence[Block]:
    text = quoted(view.switch.description or "")
    return [section(f"*{texts('card.field.description')}*\n{text}")] if text else []


def _approvers(domain: OwnedDomain | None, rule_status: RuleStatus | None, texts: Texts) -> str:
    if domain is None:
        return texts("card.nobody_yet")
    return "\n".join(approver_lines(rule_status.policy if rule_status else domain.policy, texts=texts))
