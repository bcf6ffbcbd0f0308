"""`switchgate sandbox`: everything on this machine, until Ctrl-C; or one deployment through, and out."""

import errno
import sys
import time
from functools import partial
from typing import Final

from app.db.embedded_postgres import EmbeddedPostgresError
from app.sandbox.once import NotThrough, Once
from app.sandbox.opening import open_with_two_waiting
from app.sandbox.page.server import Page
from app.sandbox.replica import ReplicaTrouble
from app.sandbox.stop_sign import StopSign
from app.sandbox.whole import Whole, whole_sandbox

VERDICTS: Final = ("approve", "reject")
LOCALES: Final = ("en", "ko")

say = partial(print, flush=True)


def run_sandbox(*, once: str | None, port: int, locale: str) -> int:
    """The exit status: 0 well, 1 with the reason on stderr, 2 for a request that makes no sense."""
    if once not in (None, *VERDICTS):
        return _complain(f"--once: {once} is neither approve nor reject", status=2)
    if locale not in LOCALES:
        return _complain(f"--locale: {locale} is neither en nor ko", status=2)
    sign = StopSign().listen()
    began = time.monotonic()
    try:
        with whole_sandbox(locale=locale) as whole:
            say(f"Postgres, Slack, AWS and the service are up ({time.monotonic() - began:.1f} s).")
            return _once(whole, once, sign) if once is not None else _page(whole, port, locale, sign)
    except (EmbeddedPostgresError, ReplicaTrouble) as trouble:
        return _complain(str(trouble))


def _page(whole: Whole, port: int, locale: str, sign: StopSign) -> int:
    """Until somebody wants us to stop."""
    open_with_two_waiting(whole, sign)
    if sign.is_up:
        return 0
    with _listening(whole, port, locale) as page:
        say(f"\n    Open {page.url}\n\nCtrl-C stops everything.")
        sign.wait()
        say("Stopping.")
    return 0


def _listening(whole: Whole, port: int, locale: str) -> Page:
    try:
        return Page(whole, port=port, locale=locale)
    except OSError as trouble:
        if trouble.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        say(f"Port {port} cannot be had ({trouble.strerror}); this is another one.")
        return Page(whole, port=0, locale=locale)


def _once(whole: Whole, verdict: str, sign: StopSign) -> int:
    play = Once(whole, say=say, sign=sign)
    try:
        play.approve() if verdict == "approve" else play.reject()
    except NotThrough as reason:
        tail = whole.log.read_text(errors="replace").splitlines()[-20:]
        return _complain("\n".join([*tail, str(reason)]))
    return 0


def _complain(why: str, *, status: int = 1) -> int:
    print(why, file=sys.stderr, flush=True)
    return status
