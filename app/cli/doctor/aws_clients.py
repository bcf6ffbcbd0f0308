"""Doctor: boto3's clients, and findings of what AWS refuses."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from app.aws.codedeploy import READS, THREADS
from app.aws.errors import CLOCK_SKEW, CREDENTIALS, code_of
from app.cli.doctor.findings import Finding, failure, unknown

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_ecs import ECSClient
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

AwsFailure = (ClientError, BotoCoreError)
WITHOUT_CREDENTIALS: Final = frozenset({"NoCredentialsError", "PartialCredentialsError"})
POLICY: Final = "docs/permissions.md has the policy for switchgate doctor"

T = TypeVar("T")
R = TypeVar("R")


class AwsClients:
    """One of each service that is looked at, to be used in any thread."""

    def __init__(self, region: str) -> None:
        """Raises botocore's errors for a region or an endpoint that cannot be."""
        self.region = region
        session, config = boto3.session.Session(region_name=region), READS
        self.codedeploy: CodeDeployClient = session.client("codedeploy", config=config)
        self.ecs: ECSClient = session.client("ecs", config=config)
        self.elbv2: ElasticLoadBalancingv2Client = session.client("elbv2", config=config)
        self.cloudwatch: CloudWatchClient = session.client("cloudwatch", config=config)
        self.sts: Any = session.client("sts", config=config)
        self.iam: Any = session.client("iam", config=config)
        self.functions: Any = session.client("lambda", config=config)
        self.events: Any = session.client("events", config=config)


def at_once(work: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """The results of `work`, in order, each in a thread of its own."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="doctor") as threads:
        return list(threads.map(work, things))


def error_name(exc: ClientError | BotoCoreError) -> str:
    """AWS's code, or botocore's class; never the text, which may carry the request."""
    return code_of(exc) if isinstance(exc, ClientError) else type(exc).__name__


def is_denied(exc: ClientError | BotoCoreError) -> bool:
    """Whether a permission is missing, or the credentials are refused."""
    return isinstance(exc, ClientError) and code_of(exc) in CREDENTIALS


def refused_read(what: str, action: str, exc: ClientError | BotoCoreError) -> Finding:
    """Of a read that serving does not need: it is then unknown how things stand."""
    name = error_name(exc)
    if name in CLOCK_SKEW:
        return wrong_signature(what, name)
    if is_denied(exc):
        remedy = f"Allow {action} to whoever runs this ({POLICY})."
        return unknown(what, f"{action} is refused ({name})", remedy)
    return unknown(what, f"{action} could not be asked ({name})", "Look at the network and AWS_REGION.")


def wrong_signature(what: str, name: str) -> Finding:
    """AWS refuses what this machine signs."""
    return failure(
        what,
        f"AWS refuses our signature ({name})",
        "Synchronize this machine's clock with NTP (AWS allows five minutes), or correct its secret key.",
    )


def without_credentials(what: str) -> Finding:
    return failure(what, "there are no AWS credentials", "Give this process a role or keys.")
