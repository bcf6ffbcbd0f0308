"""`supersede: true`: withdraws the undecided deployment that keeps the group busy; deploys once the group is free."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from switchgate_pipeline.api import Api, ApiUnavailable, api_of
from switchgate_pipeline.codedeploy import Aws, Deployment
from switchgate_pipeline.failures import GroupBusy, PipelineFailure
from switchgate_pipeline.inputs import Inputs
from switchgate_pipeline.job import Job
from switchgate_pipeline.markdown import plain
from switchgate_pipeline.progress import HOOK

OVER: Final = ("Succeeded", "Failed", "Stopped")
ROLLBACKS: Final = ("codeDeployRollback", "CloudFormationRollback")
NOT_YET: Final = ("no_such_switch", "not_verified")
"""Problems of a deployment whose hook is still to come."""

DECIDED: Final = ("already_decided", "deadline_passed")
MAX_BUILD_CHARS: Final = 200


@dataclass(slots=True)
class Supersede:
    """Makes way for one deployment."""

    aws: Aws
    api: Api
    inputs: Inputs
    job: Job
    build: str
    begun: datetime
    _withdrawn: set[str] = field(default_factory=set)

    def create(self, create: Callable[[], str]) -> str:
        """Calls `create` until the group is free. Raises `PipelineFailure`."""
        begun, minutes = self.job.now(), self.inputs.number("INSTALL_MINUTES", 20)
        while True:
            try:
                return create()
            except GroupBusy as busy:
                trouble = self._make_way(busy)
            if (self.job.now() - begun).total_seconds() > minutes * 60:
                raise PipelineFailure("The group stays busy", trouble)
            self.job.sleep(self.inputs.number("POLL_SECONDS", 15))

    def _make_way(self, busy: GroupBusy) -> str:
        """Withdraws the active deployment if it can be; gives what is waited for. Raises `PipelineFailure`."""
        if busy.active is None:
            raise busy
        found = self.aws.read(busy.active)
        waits = f"{busy.active} is still under way in this deployment group after so long."
        if found.status in OVER or found.info.get("creator") in ROLLBACKS or busy.active in self._withdrawn:
            return waits
        self._check_is_older(busy.active, found)
        try:
            # A request that is denied is audited, so none is sent before the gate waits.
            gate = self.api.gate(busy.active)
            if gate is None or not gate.verified:
                return f"{busy.active} waits for no decision yet, so it could not be withdrawn."
            if gate.verdict is None and self.job.now() < gate.deadline_at:
                self._withdraw(busy.active)
            elif gate.verdict == "approved":
                raise _approved(busy.active)
        except ApiUnavailable as exc:
            return self._refused(busy.active, found, exc)
        return waits

    def _check_is_older(self, deployment: str, found: Deployment) -> None:
        """Raises `PipelineFailure` where this build may be the older one."""
        if self.inputs.number("GITHUB_RUN_ATTEMPT", 1) > 1:
            raise PipelineFailure(
                "Not withdrawn",
                f"This run is repeated, so {deployment} may be of a newer build and is not withdrawn. Run this job"
                " again after its end, or withdraw it in Slack.",
            )
        created = found.info.get("createTime")
        if isinstance(created, datetime) and created >= self.begun:
            raise PipelineFailure(
                "A newer deployment is active",
                f"{deployment} was made after this job had begun, so it is not withdrawn.",
            )

    def _withdraw(self, deployment: str) -> None:
        application, group = self.inputs.required("APPLICATION"), self.inputs.required("DEPLOYMENT_GROUP")
        self.api.withdraw(deployment, build=self.build, application=application, group=group)
        self._withdrawn.add(deployment)
        self.job.notice("Switchgate", f"{deployment} is withdrawn: this build replaces it")
        self.job.summarise(
            f"Withdrew `{deployment}`, which nobody had decided: {plain(self.build)} replaces it."
        )

    def _refused(self, deployment: str, found: Deployment, refusal: ApiUnavailable) -> str:
        if refusal.error in DECIDED and found.event_status(HOOK) == "Succeeded":
            raise _approved(deployment)
        wait = refusal.error in (*NOT_YET, *DECIDED) or refusal.status in (0, 429) or refusal.status >= 500
        says = f"{deployment} could not be withdrawn: Switchgate's API: {refusal}"
        if not wait:
            raise PipelineFailure("Not withdrawn", says)
        return says


def _approved(deployment: str) -> PipelineFailure:
    return PipelineFailure(
        "Another deployment is active",
        f"{deployment} is approved already, so it is not withdrawn. Run this job again after its end.",
    )


def supersede_of(aws: Aws, inputs: Inputs, job: Job) -> Supersede | None:
    """None unless the input asks for it. Raises `PipelineFailure`."""
    if not inputs.flag("SUPERSEDE"):
        return None
    api = api_of(inputs.optional("API_URL"), inputs.optional("API_TOKEN"))
    if api is None:
        raise PipelineFailure(
            "Input missing", "api-url is not set, and supersede withdraws by Switchgate's API."
        )
    return Supersede(aws, api, inputs, job, build_name(inputs), job.now())


def build_name(inputs: Inputs) -> str:
    """As the card of the withdrawn switch names this build."""
    source = f"{inputs.optional('GITHUB_REPOSITORY')}@{inputs.optional('GITHUB_SHA')[:12]}".strip("@")
    run = inputs.optional("GITHUB_RUN_ID")
    name = " ".join(filter(None, [source, f"(run {run})" if run else ""]))
    return name[:MAX_BUILD_CHARS] or "a newer build"
