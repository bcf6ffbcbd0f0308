"""What a job of GitHub Actions shows: its log, annotations, the job summary, outputs."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Job:
    """`now` and `sleep` are the clock."""

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    def say(self, text: str) -> None:
        """A line of the log."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def notice(self, title: str, text: str) -> None:
        self.say(f"::notice title={_property(title)}::{_data(text)}")

    def warn(self, title: str, text: str) -> None:
        self.say(f"::warning title={_property(title)}::{_data(text)}")

    def fail(self, title: str, text: str) -> None:
        """An error annotation, and the same in the summary."""
        self.say(f"::error title={_property(title)}::{_data(text)}")
        self.summarise(f"### ❌ {title}\n\n{text}\n")

    def summarise(self, markdown: str) -> None:
        """Adds to the job summary."""
        self._append("GITHUB_STEP_SUMMARY", markdown.rstrip("\n") + "\n\n")

    def output(self, name: str, value: str) -> None:
        self._append("GITHUB_OUTPUT", f"{name}={' '.join(value.split())}\n")

    def _append(self, variable: str, text: str) -> None:
        path = self.environ.get(variable)
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
