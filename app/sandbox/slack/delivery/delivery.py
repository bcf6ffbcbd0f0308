"""A payload on its way to the app: over one of its sockets, else as a signed HTTP request."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic, time
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from app.sandbox.slack.delivery.answers import Ack
from app.sandbox.slack.delivery.sockets import Kind, Sockets
from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.state.calls import Calls
from app.sandbox.slack.state.credentials import Credentials
from app.sandbox.slack.state.shapes import Json

ACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A signed request as it went out."""

    url: str
    body: str
    headers: Mapping[str, str]


class Delivery:
    """Runs on the server's loop. `request_url` is the app's, for HTTP mode; `ack_seconds` are real ones."""

    def __init__(self, sockets: Sockets, *, credentials: Credentials, calls: Calls) -> None:
        self._sockets = sockets
        self._credentials = credentials
        self._calls = calls
        self._session: ClientSession | None = None
        self.request_url: str | None = None
        self.ack_seconds = ACK_SECONDS
        self.last_sent: Sent | None = None

    async def deliver(self, kind: Kind, payload: Json) -> Ack:
        if self._sockets.count:
            return await self._sockets.send(kind, payload, seconds=self.ack_seconds)
        if self.request_url is None:
            return Ack(acked=False, seconds=0.0, via="nowhere", error="dispatch_failed")
        self.last_sent = self._signed(self.request_url, kind, payload)
        return await self._post(self.last_sent)

    async def replay(self, *, headers: Mapping[str, str] | None = None, body: str | None = None) -> Ack:
        """The last signed request once more, word for word; or tampered with, and not signed anew."""
        if self.last_sent is None:
            raise NotInWorkspace("no signed request has been sent yet")
        sent = self.last_sent
        again = Sent(sent.url, sent.body if body is None else body, {**sent.headers, **(headers or {})})
        return await self._post(again)

    async def lifetime(self, _app: web.Application) -> Any:
        """The HTTP client, open while the server runs."""
        async with ClientSession() as self._session:
            yield

    def _signed(self, url: str, kind: Kind, payload: Json) -> Sent:
        """https://docs.slack.dev/authentication/verifying-requests-from-slack."""
        body, content_type = _written(kind, payload)
        # The app compares with its own clock, so this is the real time, whatever the stand-in's clock says.
        timestamp = str(int(time()))
        secret = self._credentials.signing_secret.encode()
        digest = hmac.new(secret, f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        return Sent(url, body, headers)

    async def _post(self, sent: Sent) -> Ack:
        if self._session is None:
            raise RuntimeError("the stand-in is not running")
        began = monotonic()
        try:
            async with self._session.post(
                sent.url,
                data=sent.body.encode(),
                headers=sent.headers,
                timeout=ClientTimeout(total=self.ack_seconds),
            ) as response:
                status, text = response.status, await response.text()
        except TimeoutError:
            return Ack(acked=False, seconds=monotonic() - began, via="http", error="operation_timeout")
        except ClientError:
            return Ack(acked=False, seconds=monotonic() - began, via="http", error="dispatch_failed")
        return self._answered(status, text, monotonic() - began)

    def _answered(self, status: int, text: str, seconds: float) -> Ack:
        body = _read(text)
        self._calls.note("ack", {"status": status, "payload": body}, "ok" if status == 200 else str(status))
        return Ack(
            acked=status == 200,
            seconds=seconds,
            via="http",
            status=status,
            body=body,
            error="" if status == 200 else "dispatch_failed",
        )


def _written(kind: Kind, payload: Json) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    match kind:
        case "interactive":
            return urlencode({"payload": json.dumps(payload)}), form
        case "slash_commands":
            return urlencode(payload), form
        case "events_api":
            return json.dumps(payload), "application/json"


def _read(text: str) -> Mapping[str, Any] | str | None:
    if not text:
        return None
    try:
        body = json.loads(text)
    except ValueError:
        return text
    return body if isinstance(body, dict) else text
