"""`smoke`: runs a command against green and reports its result as a check."""

import os
import subprocess
from typing import Final

from switchgate_pipeline.api import Api, ApiUnavailable, api_of
from switchgate_pipeline.failures import PipelineFailure
from switchgate_pipeline.inputs import Inputs
from switchgate_pipeline.job import Job

SECRET_INPUTS: Final = frozenset({"API_TOKEN"})
TRIES: Final = 5
RETRY_SECONDS: Final = 3.0


def smoke(inputs: Inputs, job: Job) -> None:
    """A failed command is reported and leaves the decision to people. Raises `PipelineFailure` if not reported."""
    api = api_of(inputs.required("API_URL"), inputs.optional("API_TOKEN"))
    name, command = inputs.required("CHECK_NAME"), inputs.required("CHECK_COMMAND")
    if api is None:
        raise PipelineFailure("Input missing", "api-url is not set, and this step needs it.")
    reporter = _Reporter(api, inputs, job, name)
    reporter.report("pending", "The pipeline runs it.")
    passed, said = _run(command, job)
    reporter.report("passed" if passed else "failed", said)
    job.output("check-state", "passed" if passed else "failed")
    if not passed:
        job.warn("Check failed", f"{name}: {said}")
    job.summarise(f"{'✅' if passed else '⚠️'} `{name}` {'passed' if passed else 'failed'}")


class _Reporter:
    def __init__(self, api: Api, inputs: Inputs, job: Job, name: str) -> None:
        self._api, self._job, self._name = api, job, name
        self._deployment = inputs.required("DEPLOYMENT_ID")
        run, repository = inputs.optional("GITHUB_RUN_ID"), inputs.optional("GITHUB_REPOSITORY")
        server = inputs.optional("GITHUB_SERVER_URL", "https://github.com")
        self._url = f"{server}/{repository}/actions/runs/{run}" if run and repository else None

    def report(self, state: str, summary: str) -> None:
        """Tried several times: a check that is required and never reported would block every approval."""
        problem = ""
        for attempt in range(TRIES):
            if attempt:
                self._job.sleep(RETRY_SECONDS)
            try:
                self._api.report_check(
                    self._deployment, self._name, state=state, summary=summary, url=self._url
                )
            except ApiUnavailable as exc:
                problem = str(exc)
            else:
                return
        raise PipelineFailure(
            "Check not reported", f"{self._name} is {state}, but Switchgate was not told: {problem}."
        )


def _run(command: str, job: Job) -> tuple[bool, str]:
    """Whether it passed, and the last line that it wrote. Its output goes to the log."""
    environ = {name: value for name, value in os.environ.items() if name not in SECRET_INPUTS}
    with subprocess.Popen(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        last = ""
        for line in process.stdout or ():
            job.say(line.rstrip("\n"))
            last = line.strip() or last
    return process.returncode == 0, last or f"The command ended with {process.returncode}."
