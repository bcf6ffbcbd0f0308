"""The bulk-approve form: each gate with its changes and unmet rules, then checkboxes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.gate.ids import DomainName
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.blocks import Block, checkboxes, context, divider, modal, option, section, text_input
from app.slack.home.gate_summary import approval_effect_text, evidence_lines, gate_lines, within_limit
from app.slack.home.query import Choices, PreviewedGate
from app.slack.modals.reason_form import MAX_REASON_CHARS, REASON
from app.slack.text.switch import domain_name, traffic_text
from app.slack.text.truncation import named_list

BULK_APPROVE_CALLBACK: Final = "approve_several"
BOXES: Final = "gates"
MAX_GROUP_OPTIONS: Final = 10
"""Slack's limit of options in one checkbox group."""

REASON_SUFFIX: Final = " why"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """A ticked box: the gate with its version, and whether its policy requires a reason."""

    action_value: ActionValue
    asks_reason: bool
    label: str = ""

    @property
    def value(self) -> str:
        """The option's value."""
        return f"{self.action_value}{REASON_SUFFIX if self.asks_reason else ''}"

    @classmethod
    def parse(cls, chosen: Mapping[str, Any]) -> "Pick":
        """Raises `InvalidActionValue`."""
        value = str(chosen.get("value") or "")
        label = str((chosen.get("text") or {}).get("text") or "")
        action_value = ActionValue.parse(value.removesuffix(REASON_SUFFIX))
        return cls(action_value=action_value, asks_reason=value.endswith(REASON_SUFFIX), label=label)


def bulk_approve_form(
    choices: Choices,
    *,
    preselect: bool,
    nothing_of: Sequence[DomainName] = (),
    texts: Texts,
    base: str | None,
) -> Block:
    """The modal. `preselect`: ticks each gate that is the only one of its domain."""
    counting = [one for one in choices.gates if one.fits_bulk]
    held = [one for one in choices.gates if not one.fits_bulk]
    blocks = [section(texts("several.says" if counting else "several.none"))]
    blocks += [_described(one, texts=texts, base=base) for one in counting]
    blocks += _boxes(counting, ticked=_only_ones(counting) if preselect else [], texts=texts)
    blocks += _reason(counting, texts)
    if held:
        blocks += [divider(), section(f"*{texts('several.not_now')}*")]
        blocks += [_described(one, texts=texts, base=base) for one in held]
    if nothing_of:
        blocks.append(context(texts("several.nothing_of", domains=named_list(nothing_of, texts=texts))))
    if choices.left_out:
        blocks.append(context(texts.plural("several.more", count=choices.left_out)))
    return modal(
        callback=BULK_APPROVE_CALLBACK,
        title=texts("several.title"),
        close=texts("reject.close"),
        submit=texts("button.approve") if counting else None,
        blocks=blocks,
    )


def picked(state: Mapping[str, Any]) -> list[Pick]:
    """What was ticked, from a submission's `view.state`, each gate once. Leaves out invalid values."""
    found: dict[ActionValue, Pick] = {}
    for block_id, answers in (state.get("values") or {}).items():
        if not block_id.startswith(f"{BOXES}."):
            continue
        for chosen in (answers.get(block_id) or {}).get("selected_options") or ():
            try:
                pick = Pick.parse(chosen)
            except InvalidActionValue:
                continue
            found.setdefault(pick.action_value, pick)
    return list(found.values())


def _described(previewed: PreviewedGate, *, texts: Texts, base: str | None) -> Block:
    view = previewed.view
    asks = previewed.preview.counts and not previewed.fits_bulk
    lines = [
        *gate_lines(view, place=previewed.pending.place, base=base, texts=texts),
        *evidence_lines(view, texts=texts),
        texts("several.asks") if asks else approval_effect_text(previewed, texts=texts),
    ]
    return section(within_limit([line for line in lines if line]))


def _boxes(
    counting: Sequence[PreviewedGate], *, ticked: Sequence[PreviewedGate], texts: Texts
) -> Iterator[Block]:
    for start in range(0, len(counting), MAX_GROUP_OPTIONS):
        group = counting[start : start + MAX_GROUP_OPTIONS]
        yield checkboxes(
            block_id=f"{BOXES}.{start // MAX_GROUP_OPTIONS}",
            label=texts("several.label"),
            options=[_option(one, texts) for one in group],
            ticked=[_option(one, texts) for one in group if one in ticked],
            # One of several groups may stay empty; the submission checks that at least one gate is ticked.
            optional=len(counting) > MAX_GROUP_OPTIONS,
        )


def _option(previewed: PreviewedGate, texts: Texts) -> Block:
    view = previewed.view
    pick = Pick(
        action_value=ActionValue(gate=view.id, prompt_version=view.prompt_version),
        asks_reason=previewed.preview.asks_reason,
    )
    return option(
        f"{domain_name(view, texts)} · {view.switch.key.deployment}",
        value=pick.value,
        description=traffic_text(view.switch.traffic, texts),
    )


def _reason(counting: Sequence[PreviewedGate], texts: Texts) -> list[Block]:
    asking = [one.preview.asks_reason for one in counting]
    if not any(asking):
        return []
    label, hint = texts("approve.label"), texts("several.reason_hint")
    return [
        text_input(
            block_id=REASON, label=label, hint=hint, max_chars=MAX_REASON_CHARS, optional=not all(asking)
        )
    ]


def _only_ones(counting: Sequence[PreviewedGate]) -> list[PreviewedGate]:
    of = Counter(one.view.switch.domain for one in counting)
    return [one for one in counting if of[one.view.switch.domain] == 1]
