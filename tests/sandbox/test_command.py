"""`switchgate sandbox`: the smoke test, and coming and going."""

import errno
import json
import os
import signal
import socket
import time
from urllib.request import urlopen

import pytest

from app.sandbox.people import OLU
from tests.sandbox.command import left_behind, open_sandbox, own_folder, run_sandbox


@pytest.mark.parametrize(
    ("verdict", "answer", "traffic"),
    [
        ("approve", "Succeeded", "Traffic of order: blue 0%, green 100%."),
        ("reject", "Failed", "Traffic of order: blue 100%, green 0%."),
    ],
)
def test_one_deployment_goes_through_and_nothing_is_left_behind(
    verdict: str, answer: str, traffic: str
) -> None:
    with own_folder() as folder:
        done = run_sandbox("--once", verdict, folder=folder)

        assert done.returncode == 0, done.stderr
        assert f"CodeDeploy was told {answer}. {traffic}" in done.stdout
        assert left_behind(folder) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--once", "maybe"), "--once: maybe is neither approve nor reject"),
        (("--locale", "fr"), "--locale: fr is neither en nor ko"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(arguments: tuple[str, ...], complaint: str) -> None:
    with own_folder() as folder:
        done = run_sandbox(*arguments, folder=folder)

        assert (done.returncode, done.stderr.strip()) == (2, complaint)
        assert left_behind(folder) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [((), "SWITCHGATE_LOCALE"), (("--locale", "fr"), "--locale")],
    ids=["the environment's", "the flag's"],
)
def test_an_unknown_language_is_refused_wherever_it_comes_from(
    arguments: tuple[str, ...], named: str
) -> None:
    with own_folder() as folder:
        done = run_sandbox(*arguments, folder=folder, locale="ko" if arguments else "fr")

        assert (done.returncode, done.stderr.strip()) == (2, f"{named}: fr is neither en nor ko")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "승인 요청"), (("--locale", "en"), "approve? Expires at")],
    ids=["the environment's", "the flag's"],
)
def test_the_cards_language_is_the_environments_unless_a_flag_says_otherwise(
    arguments: tuple[str, ...], words: str
) -> None:
    with own_folder() as folder:
        done = run_sandbox("--once", "approve", *arguments, folder=folder, locale="ko")

        assert done.returncode == 0, done.stderr
        assert words in done.stdout


def test_aws_is_not_ahead_of_the_service_when_the_page_opens() -> None:
    with own_folder() as folder, open_sandbox(folder=folder) as sandbox:
        with urlopen(f"{sandbox.url}/state?who={OLU.id}") as answer:
            state = json.load(answer)

        assert state["now"] <= time.time()
        assert state["put"]["speed"] == 1
        waiting = [
            key for key, piece in state["put"].items() if ":" in key and piece.get("state") == "waiting"
        ]
        assert waiting == ["domain:order", "domain:payment"]


def test_whoever_stops_it_nothing_is_left_behind() -> None:
    with own_folder() as folder:
        with open_sandbox(folder=folder) as sandbox:
            assert any("postgres" in words for words in left_behind(folder))

            assert sandbox.stop(signal.SIGTERM) == 0

        assert left_behind(folder) == []


def test_a_stop_while_it_starts_is_a_stop_too() -> None:
    with own_folder() as folder:
        with open_sandbox(folder=folder, wait=False) as sandbox:
            sandbox.until(lambda: list(folder.iterdir()))

            assert sandbox.stop(signal.SIGHUP) == 0

        assert left_behind(folder) == []


def test_a_port_in_use_is_reported_and_another_one_found() -> None:
    with socket.socket() as taken, own_folder() as folder:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with open_sandbox(folder=folder, port=port) as sandbox:
            assert f"Port {port} cannot be had ({os.strerror(errno.EADDRINUSE)})" in sandbox.said()
            assert not sandbox.url.endswith(f":{port}")
            assert sandbox.stop(signal.SIGINT) == 0

        assert left_behind(folder) == []
