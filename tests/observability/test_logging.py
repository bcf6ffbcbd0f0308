"""The log: one line for each event, from any logger, and never a secret."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from app.gate.ids import ExecutionId
from app.observability.logging import configure_logging, error_id, register_secrets
from tests.logs import log_to_console

CONFIGURED = "the-configured/secret"


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Puts the process's logging back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    log_to_console()
    structlog.contextvars.clear_contextvars()


def written(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def json_log(level: str = "INFO") -> StringIO:
    stream = StringIO()
    configure_logging(format="json", level=level, stream=stream)
    return stream


def test_an_event_of_ours_is_one_line_of_json_with_its_time_level_and_logger() -> None:
    stream = json_log()
    structlog.get_logger("app.somewhere").info("gate_opened", gate="g1", 금액=3)
    (line,) = written(stream)
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {
        "event": "gate_opened",
        "level": "info",
        "logger": "app.somewhere",
        "gate": "g1",
        "금액": 3,
    }
    assert "금액" in stream.getvalue()


def test_a_librarys_event_is_written_the_same_way() -> None:
    stream = json_log()
    logging.getLogger("some.library").warning("%s of %s", 1, 2)
    (line,) = written(stream)
    assert (line["event"], line["level"], line["logger"]) == ("1 of 2", "warning", "some.library")


@pytest.mark.parametrize("name", ["botocore.endpoint", "slack_sdk.web", "uvicorn.access"])
def test_a_talkative_library_logs_from_warning_on_even_at_debug(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A uvicorn that another test has started keeps its access log to itself.
    monkeypatch.setattr(logging.getLogger(name), "propagate", True)
    stream = json_log("DEBUG")
    logging.getLogger(name).info("a whole request")
    logging.getLogger(name).warning("trouble")
    structlog.get_logger("app").debug("ours")
    assert [line["event"] for line in written(stream)] == ["trouble", "ours"]


def test_what_is_below_the_level_is_not_written() -> None:
    stream = json_log("ERROR")
    structlog.get_logger("app").warning("no")
    logging.getLogger("botocore").warning("no")
    logging.getLogger("other").warning("no")
    structlog.get_logger("app").error("yes")
    assert [line["event"] for line in written(stream)] == ["yes"]


def test_configuring_again_replaces_our_handler_and_leaves_others() -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    first, second = json_log(), json_log()
    structlog.get_logger("app").info("once")
    assert first.getvalue() == ""
    assert len(written(second)) == 1
    assert other in logging.getLogger().handlers


def test_without_a_format_a_terminal_gets_the_console_and_a_file_gets_json() -> None:
    terminal, file = Terminal(), StringIO()
    configure_logging(format=None, level="INFO", stream=terminal)
    structlog.get_logger("app").info("hello", gate="g1")
    configure_logging(format=None, level="INFO", stream=file)
    structlog.get_logger("app").info("hello", gate="g1")
    assert "\x1b[" in terminal.getvalue()
    assert written(file)[0]["event"] == "hello"


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-1-2-abcDEF",
        "xapp-1-A0-2-abc",
        "xoxp-1-2-abcDEF",
        "xoxe.xoxp-1-abcDEF",
        "postgresql://switchgate:abcDEF@db/switchgate",
        "postgresql://db/switchgate?user=switchgate&password=abcDEF&sslmode=require",
        "host=db password='abcDEF ghi' user=switchgate",
        '{"lifecycleEventHookExecutionId": "abcDEF=="}',
        "{'LifecycleEventHookExecutionId': 'abcDEF=='}",
        "execution_id=abcDEF",
        "Authorization: Bearer abcDEF",
        "x-slack-signature: v0=abcDEF",
        "X-Switchgate-Signature: v1=abcDEF",
    ],
)
def test_what_looks_like_a_secret_is_masked_in_messages_values_and_keys(text: str) -> None:
    stream = json_log()
    log = structlog.get_logger("app")
    log.info(
        f"seen {text} there", value=f"<{text}>", deep={"list": [text, {text: 1}]}, thing=ValueError(text)
    )
    logging.getLogger("library").warning("seen %s there", text)
    for forbidden in ("abcDEF", "A0-2-abc"):
        assert forbidden not in stream.getvalue()
    assert written(stream)[0]["event"].startswith("seen ")
    assert stream.getvalue().count("•••") >= 6


@pytest.mark.parametrize(
    "key",
    [
        "secret",
        "token",
        "Authorization",
        "execution_id",
        "executionId",
        "X-Switchgate-Signature",
        "hook_secrets",
    ],
)
def test_what_a_secret_key_names_is_masked_whatever_it_is(key: str) -> None:
    stream = json_log()
    structlog.get_logger("app").info("seen", **{key: ["innocent", 42]}, deep={key: b"innocent"})
    (line,) = written(stream)
    assert line[key] == "•••"
    assert line["deep"] == {key: "•••"}


def test_a_configured_secret_is_masked_everywhere_also_in_tracebacks() -> None:
    register_secrets(CONFIGURED)
    for stream, format in ((StringIO(), "json"), (StringIO(), "console")):
        configure_logging(format="json" if format == "json" else "console", level="INFO", stream=stream)
        structlog.contextvars.bind_contextvars(where=CONFIGURED)
        try:
            raise ValueError(f"no {CONFIGURED} here")
        except ValueError:
            structlog.get_logger("app").exception(f"failed {CONFIGURED}", at="/x?key=the-configured%2Fsecret")
            logging.getLogger("library").exception("failed with %s", CONFIGURED)
        assert "the-configured" not in stream.getvalue()
        assert stream.getvalue().count("Traceback (most recent call last)") == 2
        assert "ValueError: no ••• here" in stream.getvalue()


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    register_secrets("twelve-chars", "twelve-chars-and-more")
    stream = json_log()
    structlog.get_logger("app").info("twelve-chars-and-more")
    assert written(stream)[0]["event"] == "•••"


def test_a_very_short_secret_does_not_mask_half_of_every_word() -> None:
    register_secrets("a", "")
    stream = json_log()
    structlog.get_logger("app").info("a banana")
    assert written(stream)[0]["event"] == "a banana"


def test_a_row_that_postgres_refuses_is_not_logged() -> None:
    stream = json_log()
    row = "(1, d-1, it-is-opaque, first line\n(second) line)."
    refusals = (
        f'new row violates check constraint "c"\nDETAIL:  Failing row contains {row}\nCONTEXT:  a trigger',
        "duplicate key\nDETAIL:  Key (execution_id)=(it-is-opaque) already exists.",
    )
    for refusal in refusals:
        try:
            raise ValueError(refusal)
        except ValueError:
            structlog.get_logger("app").exception("failed")
        logging.getLogger("asyncio").error("never retrieved: %r", ValueError(refusal))
    structlog.get_logger("app").info("deadlock", problem="DETAIL:  Process 1 waits for ShareLock")
    assert "it-is-opaque" not in stream.getvalue()
    assert "second" not in stream.getvalue()
    assert "Process 1 waits for ShareLock" in stream.getvalue()
    assert "CONTEXT:  a trigger" in written(stream)[0]["exception"]
    assert "violates check constraint" in written(stream)[0]["exception"]


def test_things_that_are_no_text_keep_their_meaning() -> None:
    stream = json_log()
    structlog.get_logger("app").info(
        "seen",
        count=3,
        share=0.5,
        yes=True,
        nothing=None,
        at=datetime(2026, 11, 24, tzinfo=UTC),
        names=("a", "b"),
    )
    line = written(stream)[0]
    assert (line["count"], line["share"], line["yes"], line["nothing"]) == (3, 0.5, True, None)
    assert line["at"] == "2026-11-24 00:00:00+00:00"
    assert line["names"] == ["a", "b"]


def test_things_that_hide_themselves_stay_hidden() -> None:
    stream = json_log()
    structlog.get_logger("app").info("seen", hook=ExecutionId("abcDEF"), key=SecretStr("abcDEF"))
    assert "abcDEF" not in stream.getvalue()


def test_an_error_id_is_short_and_never_the_same() -> None:
    ids = {error_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 8 and each.isalnum() for each in ids)


async def bolt_without_listeners() -> AsyncApp:
    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-x")

    return AsyncApp(authorize=authorize, request_verification_enabled=False, signing_secret="unused")


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_bolt_writes_no_body_of_a_request_that_nobody_listens_to(level: str) -> None:
    stream = json_log(level)
    app = await bolt_without_listeners()
    body = json.dumps({"type": "shortcut", "callback_id": "private-words", "user": {"id": "U1"}})
    asked = AsyncBoltRequest(body=body, headers={"content-type": ["application/json"]}, mode="http")

    assert (await app.async_dispatch(asked)).status == 404
    assert "private-words" not in stream.getvalue()


def test_an_error_of_bolts_is_written() -> None:
    stream = json_log()
    logging.getLogger("slack_bolt.AsyncApp").error("a middleware failed")
    assert [line["event"] for line in written(stream)] == ["a middleware failed"]
