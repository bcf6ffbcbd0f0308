"""The page's web server. All changes are `POST /do/…` with a JSON body, so that another site's form cannot post
here. All content comes over `/live`."""

import time
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError

from app.i18n.catalog import LocaleName, Texts
from app.sandbox.aws.errors import AwsError
from app.sandbox.environment import SandboxEnvironment
from app.sandbox.page.action import ActionResult, PageAction
from app.sandbox.page.domains_pane import domain_pieces
from app.sandbox.page.environment_actions import SPEEDS, EnvironmentActions
from app.sandbox.page.fault_toggles import FAULT_TOGGLES, FaultToggles
from app.sandbox.page.live import ChangeNotifier, Pieces, stream
from app.sandbox.page.people import default_person, person_views
from app.sandbox.page.service import Service
from app.sandbox.page.slack_actions import SlackActions
from app.sandbox.page.slack_pane import SlackPane
from app.sandbox.page.texts import page_texts, script_texts
from app.sandbox.people import people_of
from app.sandbox.pipeline import SHIFTS
from app.sandbox.replica import ReplicaNotReady
from app.sandbox.server import ServerThread
from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.rendering.render import STYLESHEET

HERE: Final = Path(__file__).parent
HEADERS: Final = {
    "Cache-Control": "no-store",
    # What commits and people write is rendered here: no script but the page's own may run.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' https: data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Page(ServerThread):
    """The page at `url`. Raises `OSError` if the port is in use."""

    def __init__(self, sandbox: SandboxEnvironment, *, port: int, locale: LocaleName = "en") -> None:
        self._fakes = sandbox.fakes
        self._locale = locale
        self._text = text = page_texts(locale)
        self._notifier = ChangeNotifier()
        self._acts = int(time.time() * 1000)
        """Actions so far, on top of the start's time: a page that outlives a restart never sees them go back."""
        self._pipeline = sandbox.pipeline
        self._fault_toggles = FaultToggles(sandbox.fakes)
        self._service = Service(sandbox.replica, changed=self._notifier.notify)
        environment = EnvironmentActions(
            sandbox.fakes,
            sandbox.pipeline,
            fault_toggles=self._fault_toggles,
            service=self._service,
            text=text,
        )
        slack = SlackActions(sandbox.fakes.slack, text)
        self._actions: dict[str, PageAction[Any]] = {**slack.all(), **environment.all()}
        templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._template = templates.get_template("page.html")
        super().__init__(self._application(), port=port)
        sandbox.fakes.slack.listen(self._notifier.notify)
        sandbox.fakes.aws.on_change(self._notifier.notify)

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/live", self._live)
        app.router.add_get("/state", self._state)
        app.router.add_get("/slack.css", self._stylesheet)
        app.router.add_static("/static", HERE / "static")
        app.router.add_post("/do/{action}", self._do)
        app.on_response_prepare.append(_add_headers)
        return app

    async def _page(self, _request: web.Request) -> web.Response:
        people = people_of(self._locale)
        shown = self._template.render(
            locale=self._locale,
            text=self._text,
            script_texts=script_texts(self._locale),
            approve=Texts.of(self._locale)("button.approve"),
            people=person_views(people, self._text),
            first=default_person(people, locale=self._locale),
            shifts=SHIFTS,
            faults=FAULT_TOGGLES,
            speeds=SPEEDS,
        )
        return web.Response(text=shown, content_type="text/html")

    async def _stylesheet(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(STYLESHEET)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """Streams one person's view: `?who=U…`."""
        pane = self._pane(request)
        return await stream(request, self._notifier, read=lambda: self._pieces(pane), stamp=self._stamp)

    async def _state(self, request: web.Request) -> web.Response:
        """One snapshot of that view."""
        return web.json_response({**self._stamp(), "put": self._pieces(self._pane(request)), "gone": []})

    async def _do(self, request: web.Request) -> web.Response:
        action = self._actions.get(request.match_info["action"])
        if action is None:
            return self._response(ActionResult("There is no such thing to do.", failed=True), 404)
        if request.content_type != "application/json":
            return self._response(ActionResult("A JSON body is needed.", failed=True), 415)
        try:
            result = await action.do(action.shape.model_validate_json(await request.text()))
        except _HANDLED_ERRORS as exc:
            return self._response(*_error_of(exc))
        else:
            return self._response(result, 200)
        finally:
            self._notifier.notify()

    def _response(self, result: ActionResult, status: int) -> web.Response:
        """The result of an action, and the controls as they are now. `acts` counts the actions."""
        self._acts += 1
        body = {"words": result.words, "trouble": result.failed, "acts": self._acts, "put": self._controls()}
        return web.json_response(body, status=status)

    def _pane(self, request: web.Request) -> SlackPane:
        try:
            return SlackPane(self._fakes.slack, request.query.get("who", ""))
        except NotInWorkspace as exc:
            raise web.HTTPNotFound(text=str(exc)) from None

    def _pieces(self, pane: SlackPane) -> Pieces:
        return {
            **pane.pieces(),
            **domain_pieces(self._fakes.aws, self._text),
            **self._pipeline.smoke_tests.pieces(),
            **self._controls(),
            "service": self._service.state,
        }

    def _controls(self) -> Pieces:
        """What people choose on the page and others may change."""
        return {"speed": self._fakes.aws.speed, "troubles": self._fault_toggles.piece()}

    def _stamp(self) -> dict[str, float]:
        """As of when pieces are: the stand-in's time, and how many actions they come after."""
        return {"now": self._fakes.aws.clock.now().timestamp(), "acts": self._acts}


_HANDLED_ERRORS: Final = (ValidationError, AwsError, LookupError, ReplicaNotReady)


def _error_of(exc: Exception) -> tuple[ActionResult, int]:
    match exc:
        case ValidationError():
            words, status = _first_error(exc), 400
        case AwsError(message=message):
            words, status = message, 409
        case LookupError():
            words, status = str(exc.args[0]), 404
        case _:
            words, status = str(exc), 502
    return ActionResult(words, failed=True), status


def _first_error(exc: ValidationError) -> str:
    first = exc.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
