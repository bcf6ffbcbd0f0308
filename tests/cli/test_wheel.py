"""The wheel, installed into an environment of its own and used away from any checkout."""

import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

from app.db.migrate import newest
from app.sandbox.people import config_text
from tests.cli.commands import Said

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed `switchgate`. Its dependencies are this environment's; the package is the wheel's alone."""
    folder = tmp_path_factory.mktemp("wheel")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    (wheel,) = folder.glob("switchgate-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    _run(
        [str(uv), "pip", "install", "-q", "--offline", "--no-deps", "--python", str(python), str(wheel)],
        folder,
    )
    site = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
    # Only what a line of a .pth file names is added: the editable install of this checkout stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.with_name("switchgate")


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)


def use(command: Path, folder: Path, *words: str, **environment: str) -> Said:
    """Runs the command in an empty folder."""
    done = subprocess.run(
        [str(command), *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    said = use(installed, tmp_path, "--version")

    expected = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (said.status, said.out) == (0, f"switchgate {expected}\n")
    where = subprocess.run(
        [str(installed.with_name("python")), "-c", "import app; print(app.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(installed.parents[1]) in where.stdout


def test_it_migrates_and_goes_back(installed: Path, tmp_path: Path, empty_url: str) -> None:
    for target in ("head", "base", "head"):
        said = use(installed, tmp_path, "migrate", "--to", target, "--yes", DATABASE_URL=empty_url)
        assert said.status == 0, said.all
        assert (newest() if target == "head" else "base") in said.out


def test_it_checks_a_configuration(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "switchgate.toml").write_text(config_text())
    assert use(installed, tmp_path, "config", "check").status == 0


def test_doctor_says_what_is_missing(installed: Path, tmp_path: Path) -> None:
    said = use(installed, tmp_path, "doctor")
    assert said.status != 0
    assert "Traceback" not in said.all
    assert "SLACK_BOT_TOKEN" in said.all


def test_serve_says_what_is_missing(installed: Path, tmp_path: Path) -> None:
    said = use(installed, tmp_path, "serve")
    assert said.status != 0
    assert "Traceback" not in said.all
    assert "SWITCHGATE_HOOK_SECRETS" in said.all


def test_the_sandbox_plays_the_main_job_from_it(installed: Path, tmp_path: Path) -> None:
    said = use(installed, tmp_path, "sandbox", "--once", "approve")
    assert said.status == 0, said.all
