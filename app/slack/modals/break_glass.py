"""The break-glass form: names each rule to override, and requires a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.flow.read_models import GateView
from app.gate.rules.violations import Violation, rule_fingerprint
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.blocks import Block, section
from app.slack.modals.reason_form import reason_form
from app.slack.text.escape import escaped, inline
from app.slack.text.violations import rule_sections

BREAK_GLASS_CALLBACK: Final = "break_glass_reason"
BREAK_GLASS_REASON: Final = "glass_reason"


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakGlassMetadata:
    """The form's private metadata: the gate, and the fingerprints of the rules that it named."""

    action_value: ActionValue
    named: frozenset[str]

    def __str__(self) -> str:
        return f"{self.action_value} {','.join(sorted(self.named))}"

    @classmethod
    def parse(cls, value: object) -> "BreakGlassMetadata":
        """Raises `InvalidActionValue`."""
        if not isinstance(value, str):
            raise InvalidActionValue
        action_value, _, named = value.partition(" ")
        return cls(action_value=ActionValue.parse(action_value), named=frozenset(named.split(",")))


def break_glass_form(
    action_value: ActionValue,
    *,
    view: GateView,
    violations: Sequence[Violation],
    texts: Texts,
    reason: str = "",
    again: bool = False,
) -> Block:
    """The modal. `again`: the unmet rules changed while it was open; the typed reason is kept."""
    domain = view.switch.domain or texts("card.unknown_domain")
    says = texts("glass.says", domain=escaped(domain), deployment=inline(view.switch.key.deployment))
    changed = [section(texts("glass.changed"))] if again else []
    metadata = BreakGlassMetadata(
        action_value=action_value, named=frozenset(map(rule_fingerprint, violations))
    )
    return reason_form(
        BREAK_GLASS_CALLBACK,
        [*changed, section(says), *rule_sections(violations, texts=texts)],
        title=texts("glass.title"),
        label=texts("glass.label"),
        hint=texts("glass.hint"),
        submit=texts("glass.submit"),
        close=texts("reject.close"),
        metadata=str(metadata),
        block_id=BREAK_GLASS_REASON,
        initial=reason,
    )
