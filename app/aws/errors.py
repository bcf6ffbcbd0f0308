"""CodeDeploy's errors, sorted by what the caller should do: retry, give up, or read what CodeDeploy holds."""

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
"""A person has to mend these; roles do get mended inside the hour, so we go on asking."""

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


def code_of(trouble: ClientError) -> str:
    """The error's code, without the namespace that some endpoints put before it."""
    error: dict[str, Any] = dict(trouble.response.get("Error", {}))
    return str(error.get("Code", "")).rsplit("#", 1)[-1]


def sort_read(trouble: ClientError | BotoCoreError) -> Exception:
    """The error of a read as `NoSuchDeployment` or `CodeDeployUnavailable`."""
    if isinstance(trouble, ClientError) and code_of(trouble) in ABSENT:
        code = code_of(trouble)
        return NoSuchDeployment(code, may_appear=code == "DeploymentDoesNotExistException")
    return _cannot_ask(trouble)


def sort_answer(trouble: ClientError | BotoCoreError) -> Exception:
    """The error of an answer as `AlreadyAnswered`, `AnswerRefused` or `CodeDeployUnavailable`."""
    if isinstance(trouble, ClientError):
        code = code_of(trouble)
        if code == "LifecycleEventAlreadyCompletedException":
            return AlreadyAnswered(code)
        if code in FINAL:
            return AnswerRefused(code)
    return _cannot_ask(trouble)


def _cannot_ask(trouble: ClientError | BotoCoreError) -> CodeDeployUnavailable:
    if isinstance(trouble, ClientError):
        code = code_of(trouble)
        return CodeDeployUnavailable(code or "an unnamed error")
    # Its text may carry the endpoint and the request; the class says enough.
    name = type(trouble).__name__
    return CodeDeployUnavailable(name)
