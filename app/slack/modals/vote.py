"""The forms of an approval and a rejection: the policy's questions, and the reason."""

from collections.abc import Mapping
from typing import Any, Final

from app.flow.read_models import GateView
from app.gate.rules.denials import Denial, QuestionsUnanswered
from app.gate.rules.policy import ApprovalQuestion, Policy, ReasonFor
from app.gate.votes import FormAnswers
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, checkboxes, modal, option, section, text_input
from app.slack.modals.reason_form import MAX_REASON_CHARS, REASON, reason_form
from app.slack.text.escape import escaped, inline

APPROVE_CALLBACK: Final = "approve_reason"
REJECT_CALLBACK: Final = "reject_reason"


QUESTION: Final = "question"
"""The block ids of questions begin with it; their ids follow."""


def approve_form(
    action_value: ActionValue,
    *,
    view: GateView,
    policy: Policy,
    texts: Texts,
    reason: str = "",
    ticked: frozenset[str] = frozenset(),
) -> Block:
    """For policies that ask questions or require a reason. `reason`, `ticked`: what was filled in before."""
    domain, deployment = _named(view, texts)
    blocks = [section(texts("approve.says", domain=domain, deployment=deployment))]
    blocks += [_question(each, ticked=each.id in ticked, texts=texts) for each in policy.questions]
    if policy.reason is ReasonFor.ALWAYS:
        blocks.append(
            text_input(
                block_id=REASON,
                label=texts("approve.label"),
                hint=texts("reject.hint"),
                max_chars=MAX_REASON_CHARS,
                initial=reason,
            )
        )
    return modal(
        callback=APPROVE_CALLBACK,
        title=texts("approve.title"),
        submit=texts("approve.submit"),
        close=texts("reject.close"),
        metadata=str(action_value),
        blocks=blocks,
    )


def form_answers(view: Mapping[str, Any]) -> FormAnswers:
    """What a submitted approve form asked, and what is ticked."""
    values = (view.get("state") or {}).get("values") or {}
    fields = {
        block_id.partition(".")[2]: answers.get(block_id) or {}
        for block_id, answers in values.items()
        if block_id.startswith(f"{QUESTION}.")
    }
    ticked = (id_ for id_, field in fields.items() if field.get("selected_options"))
    return FormAnswers(asked=frozenset(fields), ticked=frozenset(ticked))


def missing_fields(denial: Denial | None, *, texts: Texts) -> dict[str, str]:
    """The fields of the form without which the approval does not count, each with what to do."""
    if isinstance(denial, QuestionsUnanswered):
        return {_block_id(question): texts("approve.tick") for question in denial.questions}
    return {REASON: texts("reject.reason_missing")}


def has_fields(view: Mapping[str, Any], block_ids: Mapping[str, str]) -> bool:
    """Whether the form has all of these fields: the rules may have changed since it was opened."""
    return block_ids.keys() <= {block.get("block_id") for block in view.get("blocks") or ()}


def _question(question: ApprovalQuestion, *, ticked: bool, texts: Texts) -> Block:
    yes = option(texts("approve.yes"), value="yes")
    return checkboxes(
        block_id=_block_id(question),
        label=question.text,
        options=[yes],
        ticked=[yes] if ticked else [],
        optional=not question.required,
    )


def _block_id(question: ApprovalQuestion) -> str:
    return f"{QUESTION}.{question.id}"


def reject_form(
    action_value: ActionValue, *, view: GateView, texts: Texts, optional: bool = False, more: int = 0
) -> Block:
    """`optional`: the policy requires no reason; `more`: rejections that are missing after this one."""
    domain, deployment = _named(view, texts)
    if more:
        says = texts.plural("reject.counts", count=more, domain=domain, deployment=deployment)
    else:
        says = texts("reject.says", domain=domain, deployment=deployment)
    return reason_form(
        REJECT_CALLBACK,
        [section(says)],
        title=texts("reject.title"),
        label=texts("reject.label"),
        hint=texts("reject.hint"),
        submit=texts("reject.submit"),
        close=texts("reject.close"),
        metadata=str(action_value),
        optional=optional,
    )


def _named(view: GateView, texts: Texts) -> tuple[str, str]:
    domain = view.switch.domain or texts("card.unknown_domain")
    return escaped(domain), inline(view.switch.key.deployment)
