"""`switchgate sandbox`: everything on this machine, until Ctrl-C; or one smoke test."""

import errno
import sys
import time
from functools import partial
from typing import Final

from app.db.embedded.postgres import EmbeddedPostgresError
from app.i18n.catalog import LOCALES, LocaleName, known
from app.sandbox.environment import SandboxEnvironment, sandbox_environment
from app.sandbox.page.server import Page
from app.sandbox.replica import ReplicaNotReady
from app.sandbox.seed import seed_two_waiting_deployments
from app.sandbox.shutdown_signal import ShutdownSignal
from app.sandbox.smoke import SmokeFailed, SmokeRun

VERDICTS: Final = ("approve", "reject")

say = partial(print, flush=True)


def run_sandbox(*, once: str | None, port: int, locale: str) -> int:
    """The exit status: 0 success, 1 failure with the reason on stderr, 2 invalid arguments."""
    if once not in (None, *VERDICTS):
        return _fail(f"--once: {once} is neither approve nor reject", status=2)
    if locale not in LOCALES:
        return _fail(f"--locale: {locale} is neither en nor ko", status=2)
    shutdown = ShutdownSignal().listen()
    began = time.monotonic()
    try:
        with sandbox_environment(locale=locale) as sandbox:
            say(f"Postgres, Slack, AWS and the service are up ({time.monotonic() - began:.1f} s).")
            return (
                _once(sandbox, once, shutdown)
                if once is not None
                else _page(sandbox, port, known(locale), shutdown)
            )
    except (EmbeddedPostgresError, ReplicaNotReady) as exc:
        return _fail(str(exc))


def _page(sandbox: SandboxEnvironment, port: int, locale: LocaleName, shutdown: ShutdownSignal) -> int:
    """Serves the page until a shutdown is requested."""
    seed_two_waiting_deployments(sandbox, shutdown)
    if shutdown.requested:
        return 0
    with _listening(sandbox, port, locale) as page:
        say(f"\n    Open {page.url}\n\nCtrl-C stops everything.")
        shutdown.wait()
        say("Stopping.")
    return 0


def _listening(sandbox: SandboxEnvironment, port: int, locale: LocaleName) -> Page:
    try:
        return Page(sandbox, port=port, locale=locale)
    except OSError as exc:
        if exc.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        say(f"Port {port} cannot be had ({exc.strerror}); this is another one.")
        return Page(sandbox, port=0, locale=locale)


def _once(sandbox: SandboxEnvironment, verdict: str, shutdown: ShutdownSignal) -> int:
    run = SmokeRun(sandbox, say=say, shutdown=shutdown)
    try:
        run.approve() if verdict == "approve" else run.reject()
    except SmokeFailed as exc:
        tail = sandbox.log.read_text(errors="replace").splitlines()[-20:]
        return _fail("\n".join([*tail, str(exc)]))
    return 0


def _fail(why: str, *, status: int = 1) -> int:
    print(why, file=sys.stderr, flush=True)
    return status
