"""`python -m switchgate_pipeline deploy | smoke | follow`. Inputs are environment variables: see `../action.yml`."""

import os
import sys
import time
from datetime import UTC, datetime

from switchgate_pipeline.deploy import deploy
from switchgate_pipeline.failures import PipelineFailure
from switchgate_pipeline.follow import follow
from switchgate_pipeline.inputs import Inputs
from switchgate_pipeline.job import Job
from switchgate_pipeline.smoke import smoke

COMMANDS = {"deploy": deploy, "smoke": smoke, "follow": follow}


def main() -> int:
    """0: done; 1: the deployment did not succeed, or an input is missing."""
    job = Job(os.environ, now=lambda: datetime.now(UTC), sleep=time.sleep)
    command = COMMANDS.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if command is None:
        job.fail("Wrong command", f"Say one of {', '.join(COMMANDS)}.")
        return 1
    try:
        command(Inputs(os.environ), job)
    except PipelineFailure as failure:
        job.fail(failure.title, str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
