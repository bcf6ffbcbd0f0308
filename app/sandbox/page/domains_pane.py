"""The domains and their traffic, in pieces that the page can replace one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.sandbox.aws.snapshots import DeploymentSnapshot
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import SandboxDomain

RECENT_WINDOW: Final = timedelta(hours=12)

_EVENT_WORDS: Final = {
    "BeforeInstall": "Begins",
    "Install": "Green starts up",
    "AfterInstall": "Green is up",
    "AllowTestTraffic": "Test traffic moves to green",
    "AfterAllowTestTraffic": "Test traffic is on green",
    "BeforeAllowTraffic": "The hook is called",
    "AllowTraffic": "Traffic moves to green",
    "AfterAllowTraffic": "Traffic is on green",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainStatus:
    """A domain's status: `state` is the CSS class, `words` the text; `until` ends a countdown after `until_words`."""

    state: str
    words: str
    until: datetime | None = None
    until_words: str = ""


def domain_pieces(aws: AwsStandIn) -> dict[str, Any]:
    """`domain:<name>` for every domain."""
    return {f"domain:{domain.name}": _piece(aws, domain) for domain in aws.domains()}


def live_deployment(aws: AwsStandIn, domain: str) -> DeploymentSnapshot | None:
    """The running deployment, if any."""
    last = _last(aws.deployments(domain))
    return None if last is None or last.over else last


def _piece(aws: AwsStandIn, domain: SandboxDomain) -> dict[str, Any]:
    deployments = aws.deployments(domain.name)
    last, share = _last(deployments), aws.share(domain.name)
    status = _status(last, aws.clock.now())
    return {
        "name": domain.name,
        "port": domain.listener_port,
        "blue": {"share": share["blue"], "version": _blue_version(deployments)},
        "green": {"share": share["green"], "version": _green_version(deployments)},
        "state": status.state,
        "words": status.words,
        "until": status.until.timestamp() if status.until else None,
        "until_words": status.until_words,
        "alarm": aws.alarm_state(domain.name) == "ALARM",
        "busy": last is not None and not last.over,
        "deployment": _deployment(last) if last is not None else None,
    }


def _deployment(deployment: DeploymentSnapshot) -> dict[str, Any]:
    title, _, rest = deployment.description.partition("\n")
    rollback = f"Automatic rollback of {deployment.rollback_of}" if deployment.rollback_of else ""
    return {
        "id": deployment.id,
        "title": title or rollback or "No description",
        "by": rest.removeprefix("github-actor="),
        "config": deployment.config.removeprefix("CodeDeployDefault.ECS"),
        "error": deployment.error_message if deployment.over else None,
        "events": [{"name": event.name, "status": event.status} for event in deployment.events],
    }


def _status(deployment: DeploymentSnapshot | None, now: datetime) -> DomainStatus:
    if deployment is None:
        return DomainStatus(state="resting", words="At rest")
    if deployment.over:
        return _ended(deployment, now)
    if deployment.rollback_of is not None:
        return DomainStatus(state="rolling-back", words="Goes back to blue")
    if deployment.waits_for is not None:
        return DomainStatus(
            state="waiting",
            words="Waits for an answer",
            until=deployment.hook_due_at,
            until_words="answer within",
        )
    if deployment.terminates_at is not None:
        return DomainStatus(
            state="on-green",
            words="On green",
            until=deployment.terminates_at,
            until_words="blue is kept for",
        )
    running = next((event.name for event in deployment.events if event.status == "InProgress"), "")
    state = "moving" if running == "AllowTraffic" else "preparing"
    return DomainStatus(state=state, words=_EVENT_WORDS.get(running, "Begins"))


def _ended(deployment: DeploymentSnapshot, now: datetime) -> DomainStatus:
    if deployment.completed_at is not None and now - deployment.completed_at > RECENT_WINDOW:
        return DomainStatus(state="resting", words="At rest")
    if deployment.rollback_of is not None:
        return DomainStatus(state="rolled-back", words="Back on blue")
    if deployment.status == "Succeeded":
        return DomainStatus(state="on-green", words="On green")
    return DomainStatus(state="failed", words=deployment.status)


def _last(deployments: Sequence[DeploymentSnapshot]) -> DeploymentSnapshot | None:
    return deployments[-1] if deployments else None


def _green_version(deployments: Sequence[DeploymentSnapshot]) -> str:
    """The version of the latest deployment that is not a rollback."""
    return next((_tag(one) for one in reversed(deployments) if one.rollback_of is None), "")


def _blue_version(deployments: Sequence[DeploymentSnapshot]) -> str:
    """The version before that one: the last that succeeded."""
    own = [one for one in deployments if one.rollback_of is None]
    return next((_tag(one) for one in reversed(own[:-1]) if one.status == "Succeeded"), "")


def _tag(deployment: DeploymentSnapshot) -> str:
    return deployment.image.rpartition(":")[2][:7]
