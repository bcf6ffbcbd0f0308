"""The stand-in's HTTP endpoint."""

import asyncio
from collections.abc import Collection
from typing import Any, Final

from aiohttp import web

from app.sandbox.aws import protocols
from app.sandbox.aws.calls import Calls
from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.faults import FaultEffect, Faults, Kind
from app.sandbox.aws.services.cloudwatch import CloudWatch
from app.sandbox.aws.services.codedeploy import CodeDeploy
from app.sandbox.aws.services.ecs import Ecs
from app.sandbox.aws.services.elbv2 import Elbv2
from app.sandbox.aws.services.eventbridge import EventBridge
from app.sandbox.aws.services.iam import Iam
from app.sandbox.aws.services.lambda_functions import LambdaFunctions
from app.sandbox.aws.services.operation import Operation
from app.sandbox.aws.services.sts import CALLER, Sts
from app.sandbox.aws.state.account import Account

UNAVAILABLE: Final = "<html><body>503 Service Unavailable</body></html>"
MAX_SILENCE_SECONDS: Final = 60.0
"""Real seconds after which a silent connection is dropped."""


class Wire:
    """Reads a request, applies faults, runs the operation under the lock, answers in one write."""

    def __init__(
        self,
        account: Account,
        codedeploy: CodeDeploy,
        *,
        faults: Faults,
        calls: Calls,
        regions: Collection[str],
    ) -> None:
        self._account = account
        self._regions = regions
        self._faults = faults
        self._calls = calls
        self._operations: dict[str, dict[str, Operation]] = {
            "CodeDeploy_20141006": codedeploy.operations,
            "AmazonEC2ContainerServiceV20141113": Ecs(account).operations,
            "GraniteServiceVersion20100801": CloudWatch(account).operations,
            "AWSEvents": EventBridge(account.hook_setup).operations,
            protocols.ELBV2: Elbv2(account).operations,
            protocols.STS: Sts().operations,
            protocols.IAM: Iam(account.roles).operations,
            protocols.LAMBDA: LambdaFunctions(account.hook_setup).operations,
        }

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/", self._handle)
        app.router.add_get("/2015-03-31/functions/{name}/configuration", self._handle_function)
        return app

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        content_type = protocols.content_type_of(http.headers)
        form = await http.post() if content_type == protocols.FORM else {}
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        try:
            request = protocols.read_request(http.headers, await http.read(), fields)
            operation = self._operation(request)
            protocols.check_signature(http.headers, self._regions, service=request.service)
        except AwsError as error:
            self._note(http.headers.get("X-Amz-Target", fields.get("Action", "?")), {}, error.code)
            return protocols.error_response(content_type, error)
        return await self._answer(http, request, operation)

    async def _handle_function(self, http: web.Request) -> web.StreamResponse:
        """GetFunctionConfiguration, the only REST request."""
        params = {"FunctionName": http.match_info["name"]}
        request = protocols.Request(protocols.LAMBDA, "GetFunctionConfiguration", params, protocols.JSON)
        try:
            protocols.check_signature(http.headers, self._regions)
        except AwsError as error:
            self._note(request.op, {}, error.code)
            return protocols.error_response(request.content_type, error)
        return await self._answer(http, request, self._operation(request))

    async def _answer(
        self, http: web.Request, request: protocols.Request, operation: Operation
    ) -> web.StreamResponse:
        """Applies the fault that is due, if any."""
        fault = self._faults.take(request.op)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        response = self._respond(request, operation, fault)
        if fault.kind in ("drop", "drop_after_commit"):
            _hang_up(http)
        elif fault.kind == "timeout_after_commit":
            await _say_nothing(http)
        return response

    def _operation(self, request: protocols.Request) -> Operation:
        operation = self._operations[request.service].get(request.op)
        if operation is None:
            raise AwsError(
                "UnknownOperationException", f"The stand-in does not play {request.service}.{request.op}."
            )
        return operation

    def _respond(
        self, request: protocols.Request, operation: Operation, fault: FaultEffect
    ) -> web.StreamResponse:
        """Runs the operation unless a fault prevents it."""
        before = fault.before_commit or self._also_needs(request)
        if before is not None:
            self._note(request.op, request.params, before)
            return _fault(request, before)
        try:
            with self._account.lock.hold():
                result = operation(request.params)
                self._note(request.op, request.params, fault.after_commit or "ok")
        except AwsError as error:
            self._note(request.op, request.params, error.code)
            return protocols.error_response(request.content_type, error, service=request.service)
        if fault.after_commit is not None:
            return _fault(request, fault.after_commit)
        return protocols.answer(request, result)

    def _also_needs(self, request: protocols.Request) -> Kind | None:
        """CreateDeployment with alarms of its own needs the permission UpdateDeploymentGroup, too."""
        if request.op != "CreateDeployment" or "overrideAlarmConfiguration" not in request.params:
            return None
        return self._faults.take("UpdateDeploymentGroup").before_commit

    def _note(self, op: str, params: dict[str, Any], outcome: str) -> None:
        with self._account.lock.hold():
            self._calls.note(op, params, self._account.clock.now(), outcome)
            self._account.lock.notify()


def _fault(request: protocols.Request, kind: Kind) -> web.StreamResponse:
    """The error response of a fault. It is not sent if the connection is dropped or kept silent."""
    if kind == "unavailable":  # a front end of AWS answers in HTML
        return web.Response(status=503, text=UNAVAILABLE, content_type="text/html")
    errors = {
        "throttle": AwsError("ThrottlingException", "Rate exceeded"),
        "access_denied": _access_denied(request),
        "expired_token": AwsError(
            "ExpiredTokenException", "The security token included in the request is expired"
        ),
        "signature_expired": AwsError(
            "InvalidSignatureException",
            "Signature expired: 20261129T085400Z is now earlier than 20261129T085500Z (20261129T090000Z - 5 min.)",
        ),
    }
    error = errors.get(kind) or AwsError(
        "InternalFailure", "The request processing has failed because of an unknown error.", status=500
    )
    return protocols.error_response(request.content_type, error, service=request.service)


def _access_denied(request: protocols.Request) -> AwsError:
    """The Query and REST services of those have another code or status for it than JSON has."""
    query = request.service in (protocols.STS, protocols.IAM)
    return AwsError(
        "AccessDenied" if query else "AccessDeniedException",
        f"User: {CALLER} is not authorized to perform this action ({request.op}) because no identity-based policy "
        "allows it",
        status=403 if query or request.service == protocols.LAMBDA else 400,
    )


def _hang_up(http: web.Request) -> None:
    if http.transport is not None:
        http.transport.abort()


async def _say_nothing(http: web.Request) -> None:
    """Until the caller gives up."""
    end = asyncio.get_running_loop().time() + MAX_SILENCE_SECONDS
    while http.transport is not None and not http.transport.is_closing():
        if asyncio.get_running_loop().time() > end:
            _hang_up(http)
            return
        await asyncio.sleep(0.01)
