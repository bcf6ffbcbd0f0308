"""The domains and their traffic, in pieces that the page can replace one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.i18n.catalog import Texts
from app.sandbox.aws.snapshots import DeploymentSnapshot
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import DOMAIN_RULES

RECENT_WINDOW: Final = timedelta(hours=12)

FIRST_EVENT: Final = "BeforeInstall"


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainStatus:
    """A domain's status: `state` is the CSS class, `words` the key of its text; `until` ends the countdown of the text
    `until_words`."""

    state: str
    words: str
    until: datetime | None = None
    until_words: str = ""


def domain_pieces(aws: AwsStandIn, text: Texts) -> dict[str, Any]:
    """`domain:<name>` for every domain."""
    return {f"domain:{domain.name}": _piece(aws, domain, text) for domain in aws.domains()}


def live_deployment(aws: AwsStandIn, domain: str) -> DeploymentSnapshot | None:
    """The running deployment, if any."""
    last = _last(aws.deployments(domain))
    return None if last is None or last.over else last


def _piece(aws: AwsStandIn, domain: SandboxDomain, text: Texts) -> dict[str, Any]:
    deployments = aws.deployments(domain.name)
    last, share = _last(deployments), aws.share(domain.name)
    status = _status(last, aws.clock.now())
    return {
        "name": domain.name,
        "port": domain.listener_port,
        "rules": text(f"rules.{domain.name}") if domain.name in DOMAIN_RULES else "",
        "blue": {"share": share["blue"], "version": _blue_version(deployments)},
        "green": {"share": share["green"], "version": _green_version(deployments)},
        "state": status.state,
        "words": text(status.words),
        "until": status.until.timestamp() if status.until else None,
        "until_words": text(status.until_words, left="{left}") if status.until_words else "",
        "alarm": aws.alarm_state(domain.name) == "ALARM",
        "green_health": aws.green_health(domain.name),
        "busy": last is not None and not last.over,
        "deployment": _deployment(last, text) if last is not None else None,
    }


def _deployment(deployment: DeploymentSnapshot, text: Texts) -> dict[str, Any]:
    title, _, rest = deployment.description.partition("\n")
    rolled_back = deployment.rollback_of
    rollback = text("deployment.rollback", deployment=rolled_back) if rolled_back else ""
    return {
        "id": deployment.id,
        "title": title or rollback or text("deployment.no_description"),
        "by": rest.removeprefix("github-actor="),
        "config": deployment.config.removeprefix("CodeDeployDefault.ECS"),
        "error": deployment.error_message if deployment.over else None,
        "events": [{"name": event.name, "status": event.status} for event in deployment.events],
    }


def _status(deployment: DeploymentSnapshot | None, now: datetime) -> DomainStatus:
    if deployment is None:
        return DomainStatus(state="resting", words="status.idle")
    if deployment.over:
        return _ended(deployment, now)
    if deployment.rollback_of is not None:
        return DomainStatus(state="rolling-back", words="status.rolling_back")
    if deployment.waits_for is not None:
        return DomainStatus(
            state="waiting",
            words="status.waiting",
            until=deployment.hook_due_at,
            until_words="until.hook",
        )
    if deployment.terminates_at is not None:
        return DomainStatus(
            state="on-green",
            words="status.on_green",
            until=deployment.terminates_at,
            until_words="until.blue",
        )
    running = next((event.name for event in deployment.events if event.status == "InProgress"), FIRST_EVENT)
    state = "moving" if running == "AllowTraffic" else "preparing"
    return DomainStatus(state=state, words=f"event.{running}")


def _ended(deployment: DeploymentSnapshot, now: datetime) -> DomainStatus:
    if deployment.completed_at is not None and now - deployment.completed_at > RECENT_WINDOW:
        return DomainStatus(state="resting", words="status.idle")
    succeeded = deployment.status == "Succeeded"
    if deployment.rollback_of is not None:
        state, words = ("rolled-back", "rolled_back") if succeeded else ("failed", "rollback_failed")
    elif succeeded:
        state, words = "on-green", "on_green"
    else:
        state, words = "failed", deployment.status.lower()
    return DomainStatus(state=state, words=f"status.{words}")


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
