"""`switchgate …` as somebody types it: a process of its own, with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.forked_popen import ForkedPopen

KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG")
LONGEST = 60


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Shell:
    """A folder to be in, and nothing in the environment but what is given."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str, **more: str) -> Said:
        """Runs the command to its end. An empty value in `more` takes a variable away."""
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=LONGEST)
        return Said(process.returncode, out, err)

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Does not wait."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        asked = {"HOME": str(self.folder), "COLUMNS": "200", "NO_COLOR": "1", **self.environment, **more}
        return ForkedPopen(
            [str(Path(sys.executable).with_name("switchgate")), *words],
            cwd=self.folder,
            env={name: value for name, value in {**kept, **asked}.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def is_clean(said: Said) -> bool:
    """No stack trace reached the person."""
    return "Traceback" not in said.all and ".py" not in said.all


def findings(said: Said) -> dict[str, str]:
    """The lines of `switchgate doctor` by what was checked: the status, then the text."""
    found = {}
    for line in said.out.splitlines():
        mark, rest = line[:8].strip(), line[8:]
        what, _, told = rest.partition(": ")
        found[what] = f"{mark}: {told}"
    return found
