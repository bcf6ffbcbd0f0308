"""Updates what the rules depend on: deployers, probe results, group members."""

from collections.abc import Sequence
from typing import Final

from app.db.quarantine import Quarantine
from app.flow.checks.run_probe import DueProbe, ProbeResult, plan_probes, run_probe
from app.flow.evidence.resolve_deployer import UnknownDeployer, resolve_unknown_deployer
from app.workers.dependencies import Dependencies
from app.workers.leased_job import leased_job
from app.workers.log_context import about_gate
from app.workers.runner import Jobs, Step

MAX_DEPLOYERS: Final = 100
"""Switches for each step: so many of the newest, and so many of the others, round robin."""


def resolve_deployers(deps: Dependencies) -> Step:
    """Waiting switches whose deployer is not known."""
    deployers = deps.repositories.deployers
    quarantine = Quarantine("deployers")
    last_checked = 0

    async def step(limit: int) -> Jobs:
        nonlocal last_checked
        unknown = await deployers.unknown(after=last_checked, limit=MAX_DEPLOYERS)
        last_checked = _last_of_round([each.switch.id for each in unknown], after=last_checked)
        skip = quarantine.keys()
        for each in unknown:
            if each.switch.id not in skip:
                with quarantine.guard(each.switch.id):
                    await resolve(each)
        return []

    async def resolve(unknown: UnknownDeployer) -> None:
        resolved = await resolve_unknown_deployer(
            unknown, repository=deployers, rules=deps.rules, email_lookup=deps.email_lookup, now=deps.clock()
        )
        if resolved:
            deps.wakeups.notify("deployer_resolved")

    return step


def _last_of_round(ids: Sequence[int], *, after: int) -> int:
    """The id after which the next step goes on; 0 at the end of a round."""
    others = [each for each in ids if each > after][:MAX_DEPLOYERS]
    return others[-1] if len(others) == MAX_DEPLOYERS else 0


def run_probes(deps: Dependencies) -> Step:
    """Probes of gates that have opened, and those that somebody requested."""
    probes = deps.repositories.probes
    quarantine = Quarantine("probes")

    def summarize(result: ProbeResult) -> str:
        return deps.texts(f"probe.{result.answer}", **result.detail)

    async def run(due: DueProbe) -> None:
        await run_probe(
            due,
            repository=probes,
            prober=deps.prober,
            rules=deps.rules,
            summarize=summarize,
            clock=deps.clock,
        )

    def ran(due: DueProbe, done: None) -> None:
        deps.wakeups.notify("check_reported")

    claim = leased_job(
        probes,
        key=lambda due: due.id,
        about=lambda due: about_gate(due.view),
        work=run,
        then=ran,
        clock=deps.clock,
    )

    async def step(limit: int) -> Jobs:
        if await plan_probes(repository=probes, rules=deps.rules, quarantine=quarantine, now=deps.clock()):
            deps.wakeups.notify("card_outdated")
        return await claim(limit)

    return step


def delete_stray_checks(deps: Dependencies) -> Step:
    """Checks of deployments that never came."""

    async def step(limit: int) -> Jobs:
        await deps.repositories.checks.forget_strays(now=deps.clock())
        return []

    return step


def refresh_memberships(deps: Dependencies) -> Step:
    """User groups and users that no replica has read from Slack lately."""

    async def step(limit: int) -> Jobs:
        await deps.refresh_members()
        return []

    return step
