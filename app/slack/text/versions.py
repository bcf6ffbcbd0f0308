"""The names that a text gives a switch: its domain with the versions that blue and green run."""

from dataclasses import dataclass

from app.flow.read_models import GateView
from app.gate.evidence.model import Missing
from app.gate.evidence.revision import Revision
from app.gate.evidence.versions import Versions, versions_of
from app.gate.rules.permits import Basis
from app.i18n.catalog import Texts
from app.slack.text.escape import tamed
from app.slack.text.switch import domain_name


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchNames:
    """Plain text, not escaped.

    `switch`: "order 1.41.0 → 1.42.0". `green`: "order 1.42.0". `version`: "1.42.0". `previous`: "1.41.0".
    `newer`: what undoing an undo returns to. What is not known is left out, or named by its role.
    """

    domain: str
    switch: str
    green: str
    version: str
    previous: str
    newer: str

    @property
    def fields(self) -> dict[str, str]:
        """For a text's fields."""
        return {
            "domain": self.domain,
            "switch": self.switch,
            "green": self.green,
            "version": self.version,
            "previous": self.previous,
            "newer": self.newer,
        }


def switch_names(view: GateView, texts: Texts) -> SwitchNames:
    """By the evidence that was seen last; without it by what CodeDeploy said of the previous revision."""
    domain, versions = domain_name(view, texts), versions_in(view)
    before, after = versions.before, versions.after
    more = f" +{versions.others}" if versions.others else ""
    container = f"{versions.container} " if versions.container else ""
    moves = f"{before} → {after}" if before and after and before != after else after or ""
    known = before or view.switch.previous_revision
    previous = _line(known or texts("card.previous_version"))
    version = _line(after or texts("card.green"))
    return SwitchNames(
        domain=domain,
        switch=_line(f"{domain} {container}{moves}{more if moves else ''}"),
        green=_line(f"{domain} {container}{after or ''}"),
        version=version,
        previous=previous,
        newer=_line(known or texts("card.newer_version")) if view.basis is Basis.UNDO else version,
    )


def versions_in(view: GateView) -> Versions:
    """The versions that the evidence names."""
    if view.evidence is None:
        return Versions(before=None, after=None)
    return versions_of(_read(view.evidence.blue.revision), _read(view.evidence.green.revision))


def _read(revision: Revision | Missing) -> Revision | None:
    return None if isinstance(revision, Missing) else revision


def _line(text: str) -> str:
    return " ".join(tamed(text, max_chars=120).split())
