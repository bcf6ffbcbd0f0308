"""The HTTP protocols of the AWS services: how requests are recognised and answered."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from aiohttp import web
from multidict import CIMultiDictProxy

from app.sandbox.aws import query
from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.state.topology import REGION

JSON: Final = "application/json"
JSON_1_0: Final = "application/x-amz-json-1.0"
JSON_1_1: Final = "application/x-amz-json-1.1"
FORM: Final = "application/x-www-form-urlencoded"

TARGETS: Final = {
    "CodeDeploy_20141006": JSON_1_1,
    "AmazonEC2ContainerServiceV20141113": JSON_1_1,
    "GraniteServiceVersion20100801": JSON_1_0,
    "AWSEvents": JSON_1_1,
}
ELBV2: Final = "query 2015-12-01"
STS: Final = "query 2011-06-15"
IAM: Final = "query 2010-05-08"
LAMBDA: Final = "lambda"
GLOBAL_REGION: Final = "us-east-1"
"""IAM has one endpoint for all regions of a partition; its requests are signed for this one."""

_SCOPE: Final = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/")


@dataclass(frozen=True, slots=True)
class Request:
    """`service` is the target prefix, `LAMBDA`, or `query` and the API's version; `content_type` is the answer's."""

    service: str
    op: str
    params: dict[str, Any]
    content_type: str


def content_type_of(headers: CIMultiDictProxy[str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def read_request(headers: CIMultiDictProxy[str], body: bytes, fields: dict[str, str]) -> Request:
    """`fields` is the form, if the body is one. Raises `AwsError`, in AWS's words or, for a protocol that the
    stand-in does not support (CBOR, another JSON), with a text that says so."""
    target = headers.get("X-Amz-Target", "")
    content_type = content_type_of(headers)
    if not target:
        return _read_query(content_type, fields)
    service, _, op = target.partition(".")
    expected = TARGETS.get(service)
    if expected is None:
        raise AwsError("UnknownOperationException", f"The stand-in does not play {target}.")
    if content_type != expected:
        raise AwsError(
            "SerializationException",
            f"The stand-in speaks {expected} for {service} and nothing else; it was sent "
            f"{content_type or 'no content type'}. Has the SDK changed the service's protocol?",
        )
    try:
        params = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", "The request's body is not JSON.") from error
    if not isinstance(params, dict):
        raise AwsError("SerializationException", "The request's body is not a JSON object.")
    return Request(service, op, params, expected)


def _read_query(content_type: str, fields: dict[str, str]) -> Request:
    version = fields.get("Version", "")
    if content_type != FORM or version not in query.NAMESPACES or "Action" not in fields:
        raise AwsError(
            "SerializationException",
            f"The stand-in was sent {content_type or 'no content type'} with version {version} and no "
            "X-Amz-Target. It speaks AWS JSON for CodeDeploy, ECS, CloudWatch and EventBridge, and the Query protocol "
            f"of {', '.join(query.NAMESPACES)} for load balancers, STS and IAM. Has the SDK changed the service's "
            "protocol?",
        )
    return Request(f"query {version}", fields["Action"], query.read_form(fields), "text/xml")


def check_signature(
    headers: CIMultiDictProxy[str], regions: Collection[str] = (REGION,), *, service: str = ""
) -> None:
    """No key is checked, but an unsigned request, or one for another region, is refused as AWS does."""
    authorization = headers.get("Authorization", "")
    if not authorization:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    scope = _SCOPE.search(authorization)
    if service == IAM:
        regions = (*regions, GLOBAL_REGION)
    if scope is None or scope["region"] not in regions:
        raise AwsError(
            "InvalidSignatureException",
            f"Credential should be scoped to a valid region: the stand-in plays {', '.join(regions)}.",
        )


def answer(request: Request, result: dict[str, Any]) -> web.Response:
    request_id = str(uuid4())
    if request.service.startswith("query "):
        text = query.answer(request.op, result, request_id, version=request.service.removeprefix("query "))
        return _response(text, request.content_type, request_id)
    return _response(json.dumps(result), request.content_type, request_id)


def error_response(content_type: str, error: AwsError, *, service: str = "") -> web.Response:
    """AWS's error document; the code is in the body, because the SDK does not read it anywhere else."""
    request_id = str(uuid4())
    if content_type in (FORM, "text/xml"):
        text = query.error_response(
            error.code, error.message, request_id, version=service.removeprefix("query ")
        )
        return _response(text, "text/xml", request_id, status=error.status)
    text = json.dumps({"__type": error.code, "message": error.message})
    return _response(text, content_type or JSON_1_1, request_id, status=error.status)


def _response(text: str, content_type: str, request_id: str, *, status: int = 200) -> web.Response:
    return web.Response(
        text=text, status=status, content_type=content_type, headers={"x-amzn-RequestId": request_id}
    )
