"""Reports decisions to CodeDeploy."""

import structlog

from app.flow.lifecycle.report_decision import DueReport, Result, report_decision
from app.flow.ports.codedeploy import CodeDeployUnavailable
from app.observability.metrics import REPORT_SECONDS, REPORTS
from app.workers.dependencies import Dependencies
from app.workers.leased_job import leased_job
from app.workers.log_context import about_gate
from app.workers.runner import Step

log = structlog.get_logger(__name__)


def report_decisions(deps: Dependencies) -> Step:
    """Decisions that CodeDeploy does not have."""
    reports = deps.repositories.reports

    async def report(due: DueReport) -> Result | CodeDeployUnavailable:
        return await report_decision(due, repository=reports, deployments=deps.deployments, now=deps.clock())

    def reported(due: DueReport, result: Result | CodeDeployUnavailable) -> None:
        if isinstance(result, CodeDeployUnavailable):
            REPORTS.labels(outcome="retried").inc()
            log.warning("report_failed", problem=str(result), attempts=due.attempts)
            deps.wakeups.notify("card_outdated")
            return
        REPORTS.labels(outcome=result.outcome).inc()
        if due.view.decided_at is not None:
            REPORT_SECONDS.observe((deps.clock() - due.view.decided_at).total_seconds())
        log.info("reported", answer=due.answer, outcome=result.outcome)
        deps.wakeups.notify("report_sent")

    return leased_job(
        reports,
        key=lambda due: due.view.id,
        about=lambda due: about_gate(due.view),
        work=report,
        then=reported,
        clock=deps.clock,
    )
