"""What changes from blue to green, and why: the title, who deployed, the differences and their links."""

from typing import Final

from app.flow.read_models import GateView
from app.gate.evidence.deployment_title import deployment_title
from app.gate.evidence.model import Missing
from app.i18n.catalog import Texts
from app.slack.text.changes import change_lines
from app.slack.text.escape import inline
from app.slack.text.switch import creator

MAX_TITLE_CHARS: Final = 150


def changes_text(view: GateView, texts: Texts) -> str:
    """Empty if nothing is known of the deployment."""
    lines = [why_text(view, texts)]
    if view.evidence is not None:
        lines += change_lines(view.evidence, texts)
    return "\n".join(line for line in lines if line)


def why_text(view: GateView, texts: Texts) -> str:
    """The title and who deployed."""
    green = view.evidence.green.revision if view.evidence is not None else None
    tags = {} if green is None or isinstance(green, Missing) else dict(green.tags)
    title = deployment_title(view.switch.description or "", tags)
    who = creator(view) if view.switch.application else ""
    key = {(True, True): "both", (True, False): "title", (False, True): "by"}.get((bool(title), bool(who)))
    return texts(f"card.why.{key}", title=inline(title, max_chars=MAX_TITLE_CHARS), who=who) if key else ""
