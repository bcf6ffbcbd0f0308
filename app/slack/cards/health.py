"""Green in one line: health, alarms and checks together, the worst fact first."""

from typing import Final

from app.flow.read_models import GateView
from app.flow.switch_progress import is_watched
from app.gate.evidence.health import assess
from app.gate.evidence.model import GreenHealth
from app.gate.rules.checks import CheckState
from app.i18n.catalog import Texts
from app.slack.text.health import finding_text, healthy_lines

MAX_FINDINGS: Final = 4


def health_line(view: GateView, texts: Texts) -> str:
    """Before the decision. Empty before CodeDeploy has confirmed the deployment. A failed check is never called
    healthy."""
    if view.evidence is None:
        looking = [texts("evidence.looking")] if view.switch.verified else []
        return " · ".join([*looking, *_checks(view, texts)])
    green = view.evidence.health
    failed = any(check.state is CheckState.FAILED for check in view.checks)
    key = "neutral" if failed and not assess(green).wrong else _health_key(green)
    facts = [*_facts(green, texts), *_checks(view, texts)]
    return texts(f"evidence.health.{key}", facts=" · ".join(facts))


def live_health_line(view: GateView, texts: Texts) -> str:
    """After the decision, until blue is terminated; else empty."""
    green = view.live_health
    if green is None or not is_watched(view):
        return ""
    return texts(f"evidence.health.{_health_key(green)}", facts=" · ".join(_facts(green, texts)))


def _health_key(green: GreenHealth) -> str:
    """The last part of a text's key."""
    found = assess(green)
    if found.wrong:
        return "unhealthy"
    return "healthy" if found.healthy else "unsure"


def _facts(green: GreenHealth, texts: Texts) -> list[str]:
    against = [finding_text(finding, texts) for finding in assess(green).findings]
    more = len(against) - MAX_FINDINGS
    counted = [texts.plural("evidence.more", count=more)] if more > 0 else []
    return [*against[:MAX_FINDINGS], *counted, *healthy_lines(green, texts)]


def _checks(view: GateView, texts: Texts) -> list[str]:
    """How many of the reported checks have passed."""
    if not view.checks:
        return []
    passed = sum(check.state is CheckState.PASSED for check in view.checks)
    return [texts("evidence.health.checks", passed=passed, total=len(view.checks))]
