"""What approvers answered to the questions of the policy."""

from collections.abc import Sequence

from app.flow.read_models import CastVote
from app.i18n.catalog import Texts
from app.slack.blocks import mention
from app.slack.text.escape import inline


def confirmed_lines(votes: Sequence[CastVote], texts: Texts) -> list[str]:
    """For a card: a line for each approver, with what they confirmed."""
    confirmed = {
        vote.voter: [f"“{inline(one.question)}”" for one in vote.answers if one.confirmed] for vote in votes
    }
    return [
        texts("card.votes.confirmed", who=mention(voter), questions=" · ".join(questions))
        for voter, questions in confirmed.items()
        if questions
    ]


def answer_lines(votes: Sequence[CastVote], texts: Texts) -> list[str]:
    """Every answer, a line each."""
    return [
        texts(
            "details.confirmed" if answer.confirmed else "details.not_confirmed",
            question=inline(answer.question),
            who=mention(vote.voter),
        )
        for vote in votes
        for answer in vote.answers
    ]
