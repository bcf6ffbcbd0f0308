"""Why a vote is denied. The subclass of `Denial` is the reason; other modules add the denials that they raise."""

from typing import ClassVar

from app.gate.people import AccountStatus
from app.gate.rules.policy import ApprovalQuestion
from app.gate.rules.violations import Blocker, Violation, rule_key


class Denial(Exception):
    """Why a vote or another action is denied. The subclass is the reason; the gate is unchanged."""

    code: ClassVar[str]
    """The reason as audit events and metrics name it. It stays when the class is renamed."""


class NotAMember(Denial):
    """Bots, guests, strangers, deactivated and unknown accounts never decide."""

    code = "not_a_member"

    def __init__(self, account_status: AccountStatus) -> None:
        super().__init__(f"the account is not a full member: {account_status}")
        self.account_status = account_status


class NotAnApprover(Denial):
    """The domain's policy does not name this person."""

    code = "not_an_approver"


class OwnDeployment(Denial):
    """The deployer may not approve this deployment."""

    code = "own_deployment"


class NotTheDeployer(Denial):
    """Only whom the deployment names as its deployer may withdraw it."""

    code = "not_the_deployer"


class AnotherDomain(Denial):
    """The switch is not of the deployment group for which the pipeline deploys."""

    code = "another_domain"


class IsARollback(Denial):
    """An automatic rollback or an undo passes its own gate, so its switch is never withdrawn."""

    code = "is_a_rollback"


class AlreadyApproved(Denial):
    """The same person's approval counts once."""

    code = "already_approved"


class AlreadyRejected(Denial):
    """The same person's rejection counts once."""

    code = "already_rejected"


class ReasonMissing(Denial):
    """A reason is required: for a rejection, and where the policy requires it for an approval."""

    code = "reason_missing"


class QuestionsUnanswered(Denial):
    """The policy asks `questions` with each approval; they were not asked, or required ones are not ticked."""

    code = "questions_unanswered"

    def __init__(self, questions: tuple[ApprovalQuestion, ...]) -> None:
        super().__init__(", ".join(question.id for question in questions))
        self.questions = questions


class ApprovalBlocked(Denial):
    """A check, a freeze or something unknown blocks every approval now."""

    code = "approval_blocked"

    def __init__(self, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(", ".join(rule_key(rule) for rule in blockers))
        self.blockers = blockers


class NotAnAdmin(Denial):
    """Only admins may use break glass."""

    code = "not_an_admin"


class NothingToBreak(Denial):
    """This person's ordinary approval would be accepted: there is no rule to override."""

    code = "nothing_to_override"


class RulesChanged(Denial):
    """A rule is broken that was not among those that the person was shown. `overridden_rules` are all of now."""

    code = "rules_changed"

    def __init__(self, overridden_rules: tuple[Violation, ...]) -> None:
        super().__init__("another rule is broken than those that were shown")
        self.overridden_rules = overridden_rules


class AlreadyHandled(Denial):
    """This signed request took effect before. Sent again, it changes nothing, whatever was undone in between."""

    code = "already_handled"
