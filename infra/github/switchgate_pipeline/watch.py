"""Reads a deployment and its gate again and again, and says in the log what changed."""

from collections.abc import Callable
from dataclasses import dataclass, field

from switchgate_pipeline.api import Api, ApiUnavailable, Gate
from switchgate_pipeline.codedeploy import Aws, Deployment
from switchgate_pipeline.inputs import Inputs
from switchgate_pipeline.job import Job
from switchgate_pipeline.progress import Progress, Stage, progress_of
from switchgate_pipeline.sentences import state_sentence


@dataclass(frozen=True, slots=True)
class Sighting:
    """A deployment as it was seen once. `answered`: whether Switchgate's API said what it knows of a gate."""

    deployment: Deployment
    gate: Gate | None
    progress: Progress
    answered: bool

    @property
    def gate_is_coming(self) -> bool:
        """CodeDeploy has called the hook, and Switchgate has not saved its gate yet."""
        return self.progress.stage is Stage.WAITING and self.answered and self.gate is None


@dataclass(slots=True)
class Watch:
    """Watches one deployment. The API is optional: without it nobody says who decided."""

    aws: Aws
    api: Api | None
    inputs: Inputs
    job: Job
    deployment_id: str
    _said: str = ""
    _warned: bool = field(default=False)

    def until(self, reached: Callable[[Sighting], bool], *, minutes: float) -> Sighting | None:
        """The first sighting that is `reached`; None: there was none within so many minutes."""
        begun = self.job.now()
        while True:
            seen = self.look()
            if reached(seen):
                return seen
            if (self.job.now() - begun).total_seconds() > minutes * 60:
                return None
            self.job.sleep(self.inputs.number("POLL_SECONDS", 15))

    def look(self) -> Sighting:
        """One sighting. A change is said in the log."""
        deployment = self.aws.read(self.deployment_id)
        gate, answered = self._gate()
        seen = Sighting(deployment, gate, progress_of(deployment, gate), answered)
        says = state_sentence(
            seen.progress, channel=self.inputs.optional("CHANNEL"), zone=self.inputs.time_zone
        )
        if says != self._said and not seen.gate_is_coming:
            self._said = says
            self.job.say(f"{self.deployment_id} {says}")
        return seen

    def _gate(self) -> tuple[Gate | None, bool]:
        if self.api is None:
            return None, False
        try:
            return self.api.gate(self.deployment_id), True
        except ApiUnavailable as exc:
            if not self._warned:
                self._warned = True
                problem = f"The gate could not be read: {exc}. CodeDeploy alone is followed."
                self.job.warn("Switchgate's API", problem)
            return None, False
