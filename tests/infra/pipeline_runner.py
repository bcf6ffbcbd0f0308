"""Runs a step of the action as GitHub does: its own script and environment, on this machine's Python."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.infra.files import ACTION, workflow

GITHUB = {
    "GITHUB_SHA": "4f2a1c9d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39",
    "GITHUB_REPOSITORY": "klp/order",
    "GITHUB_RUN_ID": "8812401",
    "GITHUB_ACTOR": "jun-lee",
}


@dataclass(frozen=True)
class Done:
    """How a step ended, and what it showed."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]


class Runner:
    """Steps of one job; they share the job summary."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self.summary_file = folder / "summary.md"

    async def run(self, step: str, **inputs: str) -> Done:
        """`inputs` with `_` for `-`; `run_attempt` is GitHub's."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        attempt = given.pop("run-attempt", "1")
        output = self._folder / f"{step}.outputs"
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-e",
            "-o",
            "pipefail",
            "-c",
            _script(),
            cwd=self._folder,
            env={
                "PATH": os.environ["PATH"],
                **self._environ,
                **GITHUB,
                "GITHUB_RUN_ATTEMPT": attempt,
                **_environment({"step": step, **given}),
                "GITHUB_STEP_SUMMARY": str(self.summary_file),
                "GITHUB_OUTPUT": str(output),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
        summary = self.summary_file.read_text(encoding="utf-8") if self.summary_file.exists() else ""
        outputs = dict(line.split("=", 1) for line in lines)
        return Done(process.returncode or 0, said.decode(), summary, outputs)


def _script() -> str:
    (step,) = [one for one in workflow(ACTION)["runs"]["steps"] if one["name"] == "Run"]
    return str(step["run"])


def _environment(given: dict[str, str]) -> dict[str, str]:
    """The step's `env`, its expressions replaced."""
    action = workflow(ACTION)
    known = action["inputs"]
    assert given.keys() <= known.keys()
    values = {name: given.get(name, str(known[name].get("default", ""))) for name in known}
    values["title"] = given.get("title", "")
    (step,) = [one for one in action["runs"]["steps"] if one["name"] == "Run"]
    environ = {name: _replaced(str(value), values) for name, value in step["env"].items()}
    return {**environ, "PYTHON": sys.executable}


def _replaced(text: str, values: dict[str, str]) -> str:
    text = text.replace("${{ github.action_path }}", str(ACTION.parent))
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: values[found[1]], text)
