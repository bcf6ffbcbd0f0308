"""Models around the pure core: CodeDeploy as far as one hook goes, and one gate's row in the database."""

from dataclasses import dataclass, field
from datetime import datetime

from app.gate.deadline import HOOK_TIMEOUT
from app.gate.decision import Answer, Verdict
from app.gate.ids import UserId
from app.gate.state_machine import Awaiting, Closed, Decided, Gate, Reported


@dataclass
class HookExecution:
    """It waits an hour, and its first answer stands.

    `held` is what the lifecycle event shows; `from_us` whether we put it there.
    """

    started: datetime
    creator: str
    ours: bool
    held: Answer | None = None
    from_us: bool = False
    over: bool = False

    def put(self, answer: Answer, *, from_us: bool) -> bool:
        """Takes the first answer; False: it has one already."""
        if self.held is not None:
            return False
        self.held, self.from_us = answer, from_us
        self.over = self.over or answer is Answer.FAILED
        return True

    def end(self) -> None:
        """Stopped, failed, an alarm: whatever was in progress has failed."""
        self.over = True
        if self.held is None:
            self.held = Answer.FAILED

    def wait_until(self, now: datetime) -> None:
        """Nobody answered within the hour: CodeDeploy fails the hook itself."""
        if self.held is None and now >= self.started + HOOK_TIMEOUT:
            self.end()


@dataclass
class Life:
    """One gate as the record holds it, and everything that was written of it."""

    gate: Gate
    hook: HookExecution
    deployer: UserId | None
    verified_when_opened: bool
    decisions: list[Verdict] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        return "verified" in self.trail


def told_by(trail: list[str]) -> type[Gate]:
    """The state that an audit trail leads to."""
    if "closed" in trail:
        return Closed
    if "reported" in trail:
        return Reported
    return Decided if any(verdict in trail for verdict in Verdict) else Awaiting
