"""The text of a switch: domain, deployment, deployer, traffic."""

from typing import Final, assert_never

from app.flow.read_models import GateView, Switch, Traffic
from app.flow.undo.intervention import InterventionProblem
from app.gate.rules.policy import Shift
from app.i18n.catalog import Texts
from app.slack.blocks import mention
from app.slack.text.escape import inline


def domain_name(view: GateView, texts: Texts) -> str:
    """The domain; for a rollback outside all domains, the deployment group; a placeholder while unverified."""
    switch = view.switch
    if switch.domain is None and switch.verified:
        return f"{inline(switch.application or '')}/{inline(switch.deployment_group or '')}"
    return switch.domain or texts("card.unknown_domain")


CONSOLES: Final = {
    "cn-": "console.amazonaws.cn",
    "us-gov-": "console.amazonaws-us-gov.com",
    "eusc-": "console.amazonaws-eusc.eu",
}
"""The console's host by region prefix, for partitions with their own console."""

WITHOUT_CONSOLE: Final = ("us-iso", "eu-iso")
"""Region prefixes of partitions whose console is not public."""


def console_url(view: GateView) -> str | None:
    """The deployment's address in the AWS console, if the console is known."""
    key = view.switch.key
    if key.region.startswith(WITHOUT_CONSOLE):
        return None
    own = (host for start, host in CONSOLES.items() if key.region.startswith(start))
    console = next(own, "console.aws.amazon.com")
    path = f"codesuite/codedeploy/deployments/{key.deployment}"
    return f"https://{key.region}.{console}/{path}?region={key.region}"


def deployment_link(view: GateView) -> str:
    """A link to the AWS console; the bare id if the console is not known."""
    url, name = console_url(view), inline(view.switch.key.deployment)
    return f"<{url}|{name}>" if url else name


def creator(view: GateView) -> str:
    """Who created the deployment, if known."""
    switch = view.switch
    if switch.deployer or switch.named_deployers:
        return ", ".join(map(mention, [switch.deployer] if switch.deployer else switch.named_deployers))
    return inline(switch.deployed_by or switch.creator or "")


def ending_text(switch: Switch) -> str:
    """CodeDeploy's reason of the end; the alarm's name, if any, is its last part."""
    return inline(switch.end_reason or "", max_chars=600)


def failure_text(problem: InterventionProblem | None, texts: Texts) -> str:
    """Why an intervention failed: our own findings translated, AWS messages as they are."""
    problem = problem or InterventionProblem()
    detail = inline(problem.detail, max_chars=600)
    if problem.code is None:
        return detail
    return " ".join(
        [texts(f"intervention_failure.{problem.code}"), *([f"({detail})"] if problem.detail else [])]
    )


def traffic_text(traffic: Traffic | None, texts: Texts) -> str:
    """How traffic will move."""
    if traffic is None:
        return texts("card.traffic.unknown")
    match traffic.shift:
        case Shift.ALL_AT_ONCE:
            return texts("card.traffic.all_at_once")
        case Shift.CANARY:
            return texts("card.traffic.canary", percent=traffic.percent, minutes=traffic.minutes)
        case Shift.LINEAR:
            return texts("card.traffic.linear", percent=traffic.percent, minutes=traffic.minutes)
        case _:
            assert_never(traffic.shift)
