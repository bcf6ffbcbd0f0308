"""One replica's AWS clients, on one boto3 session."""

from collections.abc import Callable

import boto3

from app.aws.codedeploy import CodeDeploy
from app.aws.deployment_control import CodeDeployControl
from app.aws.error_counter import count_errors
from app.aws.evidence import AwsEvidence
from app.aws.outage import OutageMonitor


class AwsClients:
    """Build it inside the running event loop. `recovered` is called when AWS answers again after an outage."""

    def __init__(self, *, region: str, recovered: Callable[[], None]) -> None:
        session = boto3.session.Session()
        count_errors(session)
        OutageMonitor(session, recovered=recovered)
        self._region = region
        self.codedeploy = CodeDeploy(session, region=region)
        self.deployment_control = CodeDeployControl(self.codedeploy)
        self.evidence = AwsEvidence(session, client_lock=self.codedeploy.client_lock)

    def warm_up(self) -> None:
        """Makes the clients that the first hook needs. Blocks."""
        self.codedeploy.warm_up()
        self.evidence.warm_up(self._region)

    def close(self, *, wait: bool) -> None:
        """Closes the clients. With `wait` it waits for their threads."""
        self.codedeploy.close(wait=wait)
        self.evidence.close(wait=wait)
