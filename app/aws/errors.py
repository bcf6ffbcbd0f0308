"""Sorts CodeDeploy's errors by what the caller should do: retry, give up, or read the lifecycle event."""

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from app.flow.ports.codedeploy import AlreadyAnswered, AnswerRefused, CodeDeployUnavailable, NoSuchDeployment

FINAL: Final = frozenset(
    {
        "InvalidLifecycleEventHookExecutionIdException",
        "InvalidLifecycleEventHookExecutionStatusException",
        "DeploymentIdRequiredException",
        "InvalidDeploymentIdException",
        "DeploymentDoesNotExistException",
        "UnsupportedActionForDeploymentTypeException",
    }
)
"""PutLifecycleEventHookExecutionStatus: asking again never helps."""

ABSENT: Final = frozenset({"DeploymentDoesNotExistException", "InvalidDeploymentIdException"})

CREDENTIALS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "NotAuthorized",
        "OptInRequired",
    }
)
"""A person has to fix these. Roles do get fixed within the hour, so we keep retrying."""

CLOCK_SKEW: Final = frozenset(
    {
        "AuthFailure",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
"""What AWS may say where the clock of this machine is wrong: the list of AWS's own SDKs."""

THROTTLES: Final = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    }
)


def code_of(exc: ClientError) -> str:
    """The error's code, without the namespace that some endpoints put before it."""
    error: dict[str, Any] = dict(exc.response.get("Error", {}))
    return str(error.get("Code", "")).rsplit("#", 1)[-1]


def read_error(exc: ClientError | BotoCoreError) -> Exception:
    """The error of a read as `NoSuchDeployment` or `CodeDeployUnavailable`."""
    if isinstance(exc, ClientError) and code_of(exc) in ABSENT:
        code = code_of(exc)
        return NoSuchDeployment(code, may_appear=code == "DeploymentDoesNotExistException")
    return _unavailable(exc)


def answer_error(exc: ClientError | BotoCoreError) -> Exception:
    """The error of an answer as `AlreadyAnswered`, `AnswerRefused` or `CodeDeployUnavailable`."""
    if isinstance(exc, ClientError):
        code = code_of(exc)
        if code == "LifecycleEventAlreadyCompletedException":
            return AlreadyAnswered(code)
        if code in FINAL:
            return AnswerRefused(code)
    return _unavailable(exc)


def _unavailable(exc: ClientError | BotoCoreError) -> CodeDeployUnavailable:
    if isinstance(exc, ClientError):
        code = code_of(exc)
        return CodeDeployUnavailable(code or "an unnamed error")
    # Its text may carry the endpoint and the request; the class says enough.
    name = type(exc).__name__
    return CodeDeployUnavailable(name)
