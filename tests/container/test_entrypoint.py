"""docker/entrypoint, run with a `switchgate` that writes down how it was called."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.container.files import DOCKER

FAKE = """#!/bin/sh
printf '%s' "$$" >>"$RECORD"
printf '\\037%s' "$@" >>"$RECORD"
printf '%s\\n' "$1 ${DATABASE_OWNER_URL:-without the owner}" >>"$RECORD.owner"
printf '\\n' >>"$RECORD"
if [ "$1" = migrate ]; then
    [ -z "${AT_THE_GATE:-}" ] || { echo migrating >"$AT_THE_GATE"; read -r _ <"$AT_THE_GATE.go"; }
    exit "${MIGRATE_STATUS:-0}"
fi
exit 7
"""


@dataclass(frozen=True)
class Call:
    """One call of the fake."""

    pid: int
    arguments: list[str]


class Image:
    """The entrypoint beside a fake `switchgate`."""

    def __init__(self, folder: Path, shell: str) -> None:
        self._folder = folder
        self._shell = shell
        fake = folder / "switchgate"
        fake.write_text(FAKE)
        fake.chmod(0o755)
        self._record = folder / "record"
        self.gate = folder / "gate"

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        surroundings = {
            "PATH": f"{self._folder}:{os.environ['PATH']}",
            "RECORD": str(self._record),
            "DATABASE_URL": "postgresql://x",
        }
        return subprocess.Popen(
            [self._shell, str(DOCKER / "entrypoint"), *arguments],
            env=surroundings | env,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **env: str) -> tuple[int, str]:
        """The status and what was said."""
        with self.start(*arguments, **env) as process:
            _, said = process.communicate(timeout=20)
            return process.returncode, said

    def calls(self) -> list[Call]:
        if not self._record.exists():
            return []
        rows = [line.split("\x1f") for line in self._record.read_text().splitlines()]
        return [Call(int(pid), arguments) for pid, *arguments in rows]

    def owner_urls(self) -> list[str]:
        """Each command and the DATABASE_OWNER_URL that it saw."""
        return Path(f"{self._record}.owner").read_text().splitlines()

    def commands(self) -> list[list[str]]:
        return [call.arguments for call in self.calls()]


SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)] or ["sh"]


@pytest.fixture(params=SHELLS)
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    """Under each POSIX shell that is here; Debian's /bin/sh, the image's, is dash."""
    shell = shutil.which(request.param)
    assert shell is not None
    if request.param == "busybox":
        (tmp_path / "sh").symlink_to(shell)
        shell = str(tmp_path / "sh")
    return Image(tmp_path, shell)


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_it_migrates_and_then_serves(image: Image, arguments: list[str]) -> None:
    assert image.run(*arguments) == (7, "")
    assert image.commands() == [["migrate"], ["serve"]]


def test_the_owners_address_is_for_the_migration_alone(image: Image) -> None:
    image.run(DATABASE_OWNER_URL="postgresql://owner")
    assert image.owner_urls() == ["migrate postgresql://owner", "serve without the owner"]


def test_the_service_replaces_the_shell_so_that_it_receives_the_stop_itself(image: Image) -> None:
    with image.start() as process:
        process.communicate(timeout=20)
    assert image.calls()[-1] == Call(process.pid, ["serve"])


@pytest.mark.parametrize(
    "arguments",
    [["audit", "--since", "2h", "--domain", "a  b*", ""], ["serve", "--help"], ["migrate"], ["--help"]],
)
def test_anything_else_is_a_command_with_its_arguments_as_they_are(
    image: Image, arguments: list[str]
) -> None:
    status, said = image.run(*arguments)
    assert status == (0 if arguments == ["migrate"] else 7)
    assert said == ""
    assert image.commands() == [arguments]


def test_it_does_not_serve_on_a_record_that_could_not_be_migrated(image: Image) -> None:
    status, _ = image.run(MIGRATE_STATUS="3")
    assert status == 3
    assert image.commands() == [["migrate"]]


def test_without_a_database_it_says_which_variable_is_missing(image: Image) -> None:
    status, said = image.run(DATABASE_URL="")
    assert status == 2
    assert "DATABASE_URL" in said
    assert "postgresql://" in said
    assert image.commands() == []


def test_a_stop_during_the_migration_lets_it_finish_and_does_not_start_to_serve(image: Image) -> None:
    os.mkfifo(image.gate)
    os.mkfifo(f"{image.gate}.go")
    with image.start(AT_THE_GATE=str(image.gate)) as process:
        assert image.gate.read_text() == "migrating\n"
        process.send_signal(signal.SIGTERM)
        Path(f"{image.gate}.go").write_text("go\n")
        process.communicate(timeout=20)
    assert process.returncode == 143
    assert image.commands() == [["migrate"]]


@pytest.mark.parametrize("script", ["entrypoint", "try-build.sh"])
def test_scripts_are_sound_shell(script: str) -> None:
    checked = subprocess.run(["sh", "-n", str(DOCKER / script)], capture_output=True, text=True, check=False)
    assert (checked.stderr, checked.returncode) == ("", 0)
