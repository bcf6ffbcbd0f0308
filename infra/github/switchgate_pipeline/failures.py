"""Why a pipeline fails."""


class PipelineFailure(Exception):
    """`title` says it in two or three words, the message in a sentence."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(message)
        self.title = title


class GroupBusy(PipelineFailure):
    """Another deployment of the group is under way: CodeDeploy runs one at a time."""

    def __init__(self, active: str | None) -> None:
        which = f"{active} is" if active else "Another deployment is"
        super().__init__(
            "Another deployment is active",
            f"{which} still under way in this deployment group, and CodeDeploy runs one at a time. "
            "Approve or reject it in Slack, or wait for its end, and run this job again.",
        )
        self.active = active
