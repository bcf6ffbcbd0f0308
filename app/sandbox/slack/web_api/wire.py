"""The stand-in's HTTP side: the Web API, response URLs, and the endpoint of Socket Mode."""

import asyncio
from collections.abc import Callable
from email.utils import format_datetime

from aiohttp import web

from app.sandbox.slack.delivery.delivery import Delivery
from app.sandbox.slack.delivery.sockets import Sockets
from app.sandbox.slack.errors import SlackError
from app.sandbox.slack.faults import RESPONSE_URL, FaultEffect, Faults
from app.sandbox.slack.state.calls import Calls
from app.sandbox.slack.state.shapes import Json
from app.sandbox.slack.state.workspace import Workspace
from app.sandbox.slack.web_api.chat_api import ChatApi
from app.sandbox.slack.web_api.params import Params, read_params, text_of
from app.sandbox.slack.web_api.rates import Rates
from app.sandbox.slack.web_api.reads_api import ReadsApi
from app.sandbox.slack.web_api.responses import Responses
from app.sandbox.slack.web_api.views_api import ViewsApi

Method = Callable[[Params], Json]
Work = Callable[[Params, str | None], web.Response]


class Wire:
    """Reads a request, applies faults, does the work under the lock, answers in one write."""

    def __init__(
        self, workspace: Workspace, *, sockets: Sockets, faults: Faults, rates: Rates, calls: Calls
    ) -> None:
        self._ws = workspace
        self._sockets = sockets
        self._faults = faults
        self._rates = rates
        self._calls = calls
        self._responses = Responses(workspace)
        self._methods: dict[str, Method] = {
            **ChatApi(workspace).methods,
            **ViewsApi(workspace).methods,
            **ReadsApi(workspace).methods,
            "apps.connections.open": lambda _params: {"url": sockets.issue_url()},
        }

    def application(self, delivery: Delivery) -> web.Application:
        app = web.Application(client_max_size=4 * 2**20)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/response/{secret}", self._respond)
        app.router.add_get("/link/", self._sockets.handle)
        app.cleanup_ctx.append(delivery.lifetime)
        app.on_response_prepare.append(self._date)
        app.on_shutdown.append(self._sockets.close)
        return app

    async def _date(self, _http: web.Request, response: web.StreamResponse) -> None:
        """Every answer says when it was made."""
        response.headers["Date"] = format_datetime(self._ws.clock.now(), usegmt=True)

    async def _call(self, http: web.Request) -> web.StreamResponse:
        method = http.match_info["method"]

        def work(params: Params, token: str | None) -> web.Response:
            result = self._run_method(method, params, token)
            headers = self._ws.credentials.scope_headers(method)
            return web.json_response({"ok": True, **result}, headers=headers)

        return await self._handle(http, method, work)

    async def _respond(self, http: web.Request) -> web.StreamResponse:
        def work(params: Params, _token: str | None) -> web.Response:
            with self._ws.lock.hold():
                self._responses.respond(http.match_info["secret"], params)
            return web.Response(text="ok")

        return await self._handle(http, RESPONSE_URL, work)

    async def _handle(self, http: web.Request, method: str, work: Work) -> web.StreamResponse:
        """Handles one request, with its injected fault."""
        params: Params = {}
        try:
            params, token = await read_params(http)
            fault = await self._apply_fault(http, method, text_of(params, "channel"))
            answer = work(params, token)
        except SlackError as error:
            self._calls.note(method, params, error.code)
            return web.json_response(error.body, status=error.status, headers=error.headers)
        except _Reset:
            self._calls.note(method, params, "reset")
            return web.Response(status=500)
        self._calls.note(method, params, "answer_lost" if fault.answer_lost else "ok")
        if fault.answer_lost:
            _hang_up(http)
        return answer

    async def _apply_fault(self, http: web.Request, method: str, channel: str) -> FaultEffect:
        """Applies what the fault does before the work. Raises its error, or `_Reset` once the connection is gone."""
        fault = self._faults.take(method, channel)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.reset:
            _hang_up(http)
            raise _Reset
        if fault.error is not None:
            raise fault.error
        return fault

    def _run_method(self, method: str, params: Params, token: str | None) -> Json:
        run = self._methods.get(method)
        if run is None:
            raise SlackError("unknown_method", req_method=method)
        self._ws.credentials.admit(method, token)
        self._rates.take(method, text_of(params, "channel"))
        with self._ws.lock.hold():
            return run(params)


class _Reset(Exception):
    """The connection is gone; nobody will read an answer."""


def _hang_up(http: web.Request) -> None:
    if http.transport is not None:
        http.transport.abort()
