"""A stand-in of the two AWS services that can hold the configuration: S3's GetObject and SSM's GetParameter.

Errors and shapes are those of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and of botocore's
model of SSM.
"""

import base64
import json
from typing import Any, Final
from xml.sax.saxutils import escape

from aiohttp import web

from app.sandbox.server import ServerThread

ADVANCED_PARAMETER_BYTES: Final = 8192
XML: Final = "application/xml"
JSON: Final = "application/x-amz-json-1.1"


class ConfigStore(ServerThread):
    """`objects` by bucket and key, `parameters` by name; `denied`: what the role may not read; `reads` counts."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.parameters: dict[str, tuple[str, str]] = {}
        self.denied: set[str] = set()
        self.can_list = True
        """Without s3:ListBucket, S3 does not say that an object does not exist."""
        self.reads = 0
        app = web.Application()
        app.router.add_get("/{bucket}/{key:.+}", self._get_object)
        app.router.add_post("/", self._get_parameter)
        super().__init__(app)

    def put_parameter(self, name: str, value: str, *, type_: str = "String") -> None:
        """Raises `ValueError` for what no parameter holds."""
        if len(value.encode()) > ADVANCED_PARAMETER_BYTES:
            raise ValueError(
                "ValidationException: Advanced tier parameters support a maximum value of 8192 characters"
            )
        self.parameters[name] = (type_, value)

    def environment(self) -> dict[str, str]:
        """Points an unchanged boto3 here."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ENDPOINT_URL_SSM": self.url,
            "AWS_REGION": "ap-northeast-2",
            "AWS_DEFAULT_REGION": "ap-northeast-2",
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    async def _get_object(self, request: web.Request) -> web.Response:
        self.reads += 1
        bucket, key = request.match_info["bucket"], request.match_info["key"]
        if not _is_signed(request, "s3") or f"s3://{bucket}/{key}" in self.denied:
            return _s3_error(403, "AccessDenied", "Access Denied")
        if all(known != bucket for known, _ in self.objects):
            return _s3_error(404, "NoSuchBucket", "The specified bucket does not exist")
        content = self.objects.get((bucket, key))
        if content is None and not self.can_list:
            return _s3_error(403, "AccessDenied", "Access Denied")
        if content is None:
            return _s3_error(404, "NoSuchKey", "The specified key does not exist.")
        return web.Response(body=content, content_type="binary/octet-stream", headers={"ETag": '"e"'})

    async def _get_parameter(self, request: web.Request) -> web.Response:
        self.reads += 1
        asked: dict[str, Any] = json.loads(await request.text())
        name = asked["Name"]
        if not _is_signed(request, "ssm") or request.headers["X-Amz-Target"] != "AmazonSSM.GetParameter":
            return _ssm_error(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        if f"ssm:{name}" in self.denied:
            return _ssm_error("AccessDeniedException", "User is not authorized to perform: ssm:GetParameter")
        if name not in self.parameters:
            return _ssm_error("ParameterNotFound", "")
        type_, value = self.parameters[name]
        if type_ == "SecureString" and not asked.get("WithDecryption"):
            value = base64.b64encode(value.encode()).decode()
        parameter = {
            "ARN": f"arn:aws:ssm:ap-northeast-2:123456789012:parameter{name}",
            "DataType": "text",
            "LastModifiedDate": 1795413900.123,
            "Name": name,
            "Type": type_,
            "Value": value,
            "Version": 1,
        }
        return web.Response(text=json.dumps({"Parameter": parameter}), content_type=JSON)


def _is_signed(request: web.Request, service: str) -> bool:
    said = request.headers.get("Authorization", "")
    return said.startswith("AWS4-HMAC-SHA256 ") and f"/ap-northeast-2/{service}/aws4_request" in said


def _s3_error(status: int, code: str, message: str) -> web.Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message>'
        "<RequestId>0A49CE4060975EAC</RequestId><HostId>host</HostId></Error>"
    )
    return web.Response(status=status, text=body, content_type=XML)


def _ssm_error(code: str, message: str) -> web.Response:
    body = {"__type": code} | ({"message": message} if message else {})
    return web.Response(status=400, text=json.dumps(body), content_type=JSON)
