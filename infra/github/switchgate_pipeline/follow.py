"""`follow`: waits until the deployment is switched (or finished), and fails clearly if it is not."""

from switchgate_pipeline.api import api_of
from switchgate_pipeline.codedeploy import Aws
from switchgate_pipeline.failures import PipelineFailure
from switchgate_pipeline.inputs import Inputs
from switchgate_pipeline.job import Job
from switchgate_pipeline.markdown import plain
from switchgate_pipeline.progress import FAILURES, Stage, minutes_allowed
from switchgate_pipeline.sentences import failure_of, state_sentence
from switchgate_pipeline.watch import Watch


def follow(inputs: Inputs, job: Job) -> None:
    """Raises `PipelineFailure` unless the switch is approved, in time, and not rolled back."""
    aws, deployment = Aws(), inputs.required("DEPLOYMENT_ID")
    api = api_of(inputs.optional("API_URL"), inputs.optional("API_TOKEN"))
    watch = Watch(aws, api, inputs, job, deployment)
    finish = _waits_for_the_end(inputs)
    wanted = {Stage.FINISHED} if finish else {Stage.SWITCHED, Stage.FINISHED}
    first = watch.look()
    minutes = inputs.number("TIMEOUT_MINUTES", 0) or minutes_allowed(
        first.deployment,
        traffic=aws.traffic_minutes(str(first.deployment.info.get("deploymentConfigName", ""))),
        install=inputs.number("INSTALL_MINUTES", 20),
        finish=finish,
    )
    seen = watch.until(lambda seen: seen.progress.stage in wanted | FAILURES, minutes=minutes)
    if seen is None:
        raise PipelineFailure(
            "Timed out",
            f"{deployment} is not through after {minutes:.0f} minutes. It goes on; its card says how.",
        )
    if seen.progress.stage in FAILURES:
        raise failure_of(seen.progress.stage, seen.deployment, seen.gate)
    says = state_sentence(seen.progress, channel="", zone=inputs.time_zone)
    by = f", approved by {plain(seen.gate.decided_by)}" if seen.gate and seen.gate.decided_by else ""
    job.summarise(f"### ✅ Switched\n\n`{deployment}` {says}{by}.")


def _waits_for_the_end(inputs: Inputs) -> bool:
    wanted = inputs.optional("WAIT_FOR", "switched")
    if wanted not in ("switched", "finished"):
        raise PipelineFailure("Input wrong", "wait-for is switched or finished.")
    return wanted == "finished"
