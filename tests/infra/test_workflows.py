"""The workflows, the action, and the project's own files for GitHub."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.files import ACTION, INFRA, ROOT, WORKFLOWS, workflow

BIN = Path(sys.executable).parent
DEPLOY = ROOT / ".github" / "workflows" / "deploy.yml"


def run(*command: str | Path) -> str:
    """What a linter says; nothing is good."""
    done = subprocess.run(
        [str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_actionlint_finds_nothing() -> None:
    # Without shellcheck and pyflakes: whether a machine has them is chance.
    assert run(BIN / "actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *WORKFLOWS) == ""


def test_zizmor_finds_nothing() -> None:
    quiet = ("--offline", "--no-progress", "--quiet", "--color", "never")
    assert run(BIN / "zizmor", *quiet, ".github", ACTION.parent) == ""


def steps(path: Path) -> Iterator[dict[str, Any]]:
    read = workflow(path)
    yield from read.get("runs", {}).get("steps", [])
    for job in read.get("jobs", {}).values():
        yield from job.get("steps", [])


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.name)
def test_every_action_of_others_is_pinned_to_a_commit(path: Path) -> None:
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}|\$/[\w./-]+", step["uses"]), step["uses"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_permission_that_a_job_does_not_ask_for(path: Path) -> None:
    assert workflow(path)["permissions"] == {}
    for name, job in workflow(path)["jobs"].items():
        assert job["permissions"], name
        assert job["timeout-minutes"] <= 360, name


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.name)
def test_no_expression_is_put_into_a_script(path: Path) -> None:
    """Titles of pull requests are other people's words: they come in as environment variables."""
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


def test_every_input_of_the_action_reaches_its_scripts() -> None:
    action = workflow(ACTION)
    (run_step,) = [step for step in steps(ACTION) if step["name"] == "Run"]
    given = set(re.findall(r"inputs\.([a-z-]+)", str(run_step["env"])))
    assert given == action["inputs"].keys()
    package = INFRA / "github" / "switchgate_pipeline"
    text = "".join(path.read_text(encoding="utf-8") for path in package.glob("*.py"))
    read = set(re.findall(r'(?:optional|required|number|port|flag)\(\s*"([A-Z_]+)"', text))
    named = {name for name in run_step["env"] if name not in {"PYTHONPATH", "PYTHON", "STEP"}}
    assert read - {name for name in read if name.startswith("GITHUB_")} == named


def test_the_workflow_gives_the_action_inputs_that_it_has() -> None:
    known = workflow(ACTION)["inputs"].keys()
    calls = [step for step in steps(DEPLOY) if step.get("uses", "").startswith("$/")]
    assert [step["with"]["step"] for step in calls] == ["deploy", "smoke", "follow"]
    for step in calls:
        assert step["with"].keys() <= known
    assert (ROOT / "infra" / "github" / "action.yml").is_file()


def test_the_workflow_that_the_page_shows_gives_every_input_that_is_required() -> None:
    page = (INFRA / "README.md").read_text(encoding="utf-8")
    shown = [
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ]
    (call,) = [one["jobs"]["deploy"] for one in shown]
    inputs = workflow(DEPLOY)["on"]["workflow_call"]["inputs"]
    required = {name for name, found in inputs.items() if found.get("required")}
    assert required <= call["with"].keys() <= inputs.keys()
    assert "hook-function" in required


def test_following_may_take_as_long_as_a_gate_and_a_canary() -> None:
    follow = workflow(DEPLOY)["jobs"]["follow"]
    assert follow["needs"] == "deploy"
    assert follow["timeout-minutes"] > 60 + 120
    (credentials,) = [step for step in follow["steps"] if "role-to-assume" in step["with"]]
    role = (INFRA / "github" / "role.yaml").read_text(encoding="utf-8")
    assert f"MaxSessionDuration: {credentials['with']['role-duration-seconds']}" in role


def test_boto3_is_the_one_that_the_project_locks() -> None:
    wanted = (INFRA / "github" / "requirements.txt").read_text(encoding="utf-8").partition("\n")[2]
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for one in re.split(r"\n(?=\S)", wanted.strip()):
        assert one in locked, one.partition(" ")[0]


def test_ci_runs_everything_on_every_python() -> None:
    (job,) = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert "bash .ci/run" in [step.get("run") for step in job["steps"]]


def test_a_release_names_its_image_by_digest_and_says_what_is_in_it() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert '"containerimage.digest"' in text
    assert "--sbom=true" in text
    assert "build --wheel" in text


def test_forms_and_updates_are_yaml() -> None:
    github = ROOT / ".github"
    for path in [github / "dependabot.yml", *(github / "ISSUE_TEMPLATE").glob("*.yml")]:
        assert yaml.safe_load(path.read_text(encoding="utf-8")), path.name
    ecosystems = {
        one["package-ecosystem"]
        for one in yaml.safe_load((github / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    }
    assert ecosystems == {"pip", "github-actions", "docker"}
