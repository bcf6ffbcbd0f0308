"""The results of a bulk approval, one for each gate."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.flow.read_models import GateView
from app.gate.decision import Verdict
from app.gate.ids import UserId
from app.gate.rules.denials import AlreadyApproved
from app.gate.rules.permits import Basis
from app.gate.state_machine import AlreadyDecided, Awaiting
from app.gate.votes import Choice
from app.i18n.catalog import Texts
from app.slack.blocks import Block, context, modal, section
from app.slack.handlers.vote_reply import VoteReply
from app.slack.modals.bulk_approve import Pick
from app.slack.text.denials import vote_accepted_text
from app.slack.text.escape import escaped
from app.slack.text.switch import deployment_link, domain_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One approval. `recorded`: the vote was saved."""

    name: str
    words: str
    recorded: bool
    decided: bool = False

    @property
    def icon(self) -> str:
        if self.decided:
            return ":white_check_mark:"
        return ":ballot_box_with_check:" if self.recorded else ":no_entry:"


def result_of(pick: Pick, reply: VoteReply, *, by: UserId, texts: Texts) -> Result:
    """The result of one vote. A submission that Slack repeats finds its own votes and reports them."""
    if reply.accepted is not None:
        view = reply.accepted.view
        words = vote_accepted_text(reply.accepted, choice=Choice.APPROVE, texts=texts, on_card=False)
        decided = reply.accepted.decision is not None
        return Result(name=_name(view, texts), words=words, recorded=True, decided=decided)
    name = _name(reply.view, texts) if reply.view else escaped(pick.label)
    if reply.view is not None and isinstance(reply.denial, AlreadyDecided) and _is_by(reply.view, by):
        return recorded_result(reply.view, texts=texts)
    return Result(name=name, words=reply.text, recorded=isinstance(reply.denial, AlreadyApproved))


def recorded_result(view: GateView, *, texts: Texts) -> Result:
    """The vote was saved although its reply was lost."""
    waits = isinstance(view.gate, Awaiting)
    words = texts("press.counted") if waits else texts("press.decided", domain=domain_name(view, texts))
    return Result(name=_name(view, texts), words=words, recorded=True, decided=not waits)


def results_blocks(results: Sequence[Result], *, texts: Texts) -> list[Block]:
    """A line for each."""
    lines = [section(f"{one.icon} *{one.name}*\n{one.words}") for one in results]
    return [*lines, context(results_text(results, texts=texts))]


def results_text(results: Sequence[Result], *, texts: Texts) -> str:
    """A one-sentence summary."""
    recorded = sum(one.recorded for one in results)
    return texts("several.results", recorded=recorded, total=len(results))


def bulk_approve_notice(blocks: Sequence[Block], *, texts: Texts) -> Block:
    """The view that replaces the form."""
    return modal(callback="notice", title=texts("several.title"), close=texts("details.close"), blocks=blocks)


def _name(view: GateView, texts: Texts) -> str:
    return f"{escaped(domain_name(view, texts))} {deployment_link(view)}"


def _is_by(view: GateView, user: UserId) -> bool:
    """Whether this person's vote decided the gate."""
    approved = not isinstance(view.gate, Awaiting) and view.gate.verdict is Verdict.APPROVED
    return approved and view.basis is Basis.VOTES and view.decided_by == user
