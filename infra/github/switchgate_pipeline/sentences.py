"""What the log and the job summary say."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from switchgate_pipeline.api import Gate
from switchgate_pipeline.codedeploy import Deployment
from switchgate_pipeline.failures import PipelineFailure
from switchgate_pipeline.markdown import plain
from switchgate_pipeline.progress import Progress, Stage

TITLES = {
    Stage.REJECTED: "Rejected",
    Stage.EXPIRED: "Expired",
    Stage.WITHDRAWN: "Withdrawn",
    Stage.ROLLED_BACK: "Rolled back",
    Stage.FAILED: "Failed",
}


def state_sentence(progress: Progress, *, channel: str, zone: ZoneInfo) -> str:
    """One line for the state of a deployment that goes on."""
    match progress.stage:
        case Stage.STARTING:
            return "starts green"
        case Stage.WAITING:
            return _waiting(progress, channel, zone)
        case Stage.SHIFTING:
            return "is approved; traffic moves to green"
        case Stage.SWITCHED:
            return "is switched: all traffic is on green"
        case Stage.FINISHED:
            return "is finished: all traffic is on green"
        case _:
            return TITLES[progress.stage].lower()


def failure_of(stage: Stage, deployment: Deployment, gate: Gate | None) -> PipelineFailure:
    """Why a deployment ended badly. Other people's words are escaped for Markdown."""
    return PipelineFailure(TITLES[stage], _failure(stage, deployment, gate))


def _failure(stage: Stage, deployment: Deployment, gate: Gate | None) -> str:
    who = f" by {plain(gate.decided_by)}" if gate and gate.decided_by else ""
    why = f": {plain(gate.reason)}" if gate and gate.reason else ""
    match stage:
        case Stage.REJECTED:
            return f"The switch was rejected{who}{why}. Traffic stays on blue."
        case Stage.EXPIRED:
            return (
                "Nobody decided before the deadline. Traffic stays on blue. Run this job again to ask again."
            )
        case Stage.WITHDRAWN:
            return f"The switch was withdrawn{who}{why}. Traffic stays on blue."
        case Stage.ROLLED_BACK:
            return f"The switch was approved{_by_codedeploy(deployment)} Traffic is back on blue, or goes back now."
        case _:
            return _failed(deployment)


def _waiting(progress: Progress, channel: str, zone: ZoneInfo) -> str:
    where = f" in {plain(channel)}" if channel else ""
    if progress.since is None or progress.until is None:
        return f"waits for approval{where}"
    since, until = _clock(progress.since, zone), _clock(progress.until, zone)
    return f"waits for approval{where} since {since}, until {until} ({zone.key})"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def _by_codedeploy(deployment: Deployment) -> str:
    said = _message(deployment.info)
    return f", then CodeDeploy ended the deployment: {plain(said)}" if said else ", then ended."


def _failed(deployment: Deployment) -> str:
    said = plain(_message(deployment.info) or f"CodeDeploy says {deployment.status}.")
    if deployment.event_status("BeforeAllowTraffic") == "Failed":
        return f"The switch was not approved: it was rejected, or its deadline passed; the card says which. {said}"
    return said


def _message(info: dict[str, Any]) -> str:
    return str((info.get("errorInformation") or {}).get("message") or "")
