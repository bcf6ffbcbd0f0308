"""The project's rules that no linter checks. Exceptions are listed by name, with a reason."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import typer
from prometheus_client.metrics import MetricWrapperBase

import app.observability.metrics
from app.cli.main import app as command_line
from app.config.environment import Settings
from app.flow.audit_events import Kind

ROOT: Final = Path(__file__).resolve().parents[1]
APP: Final = ROOT / "app"
MODULES: Final = sorted(APP.rglob("*.py"))
SERVICE: Final = [file for file in MODULES if "sandbox" not in file.relative_to(APP).parts]

LONGEST_FILE: Final = 400
LONGER_FILES: Final = {
    "db/tables.py": 500,  # one table after the other
    "hook_lambda/handler.py": 800,  # one file by contract: it is deployed alone
}
LONGEST_FUNCTION: Final = 65
LONGER_FUNCTIONS: Final[dict[str, int]] = {}

CLOCKS: Final = {
    "bootstrap.py",  # the one clock of a real process, handed to everybody else
    "cli/audit.py",  # `--since 2h` is asked by a person, now
    "workers/runner.py",  # when a loop last finished a step, for a metric
    "hook_lambda/handler.py",  # stands alone
}
READS_THE_CLOCK: Final = {"now", "utcnow", "today", "time"}
CLOCK_OWNERS: Final = {"datetime", "date", "time"}


def name_of(file: Path) -> str:
    return file.relative_to(APP).as_posix()


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def calls(file: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.Call))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def uses(word: str, *, outside: str) -> bool:
    return any(
        re.search(rf"\b{word}\b", file.read_text(encoding="utf-8"))
        for file in MODULES
        if name_of(file) != outside
    )


def test_no_file_holds_more_than_one_thing() -> None:
    long = {
        name_of(file): lines
        for file in MODULES
        if (lines := len(file.read_text(encoding="utf-8").splitlines()))
        > LONGER_FILES.get(name_of(file), LONGEST_FILE)
    }
    assert long == {}


def test_no_function_does_more_than_one_thing() -> None:
    long = {
        where: lines
        for file in MODULES
        for function in functions(file)
        if (lines := (function.end_lineno or 0) - function.lineno + 1)
        > LONGER_FUNCTIONS.get(where := f"{name_of(file)}:{function.name}", LONGEST_FUNCTION)
    }
    assert long == {}


def test_time_is_an_argument() -> None:
    asking = {
        name_of(file)
        for file in SERVICE
        for call in calls(file)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in READS_THE_CLOCK
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in CLOCK_OWNERS
    }
    assert asking <= CLOCKS


def test_only_the_policy_makes_a_permit() -> None:
    makers = {
        name_of(file)
        for file in MODULES
        for call in calls(file)
        if isinstance(call.func, ast.Name) and call.func.id == "Permit"
    }
    assert makers == {"gate/rules/permits.py"}
    assert not uses("_MINT", outside="gate/rules/permits.py")


def test_every_silenced_type_error_says_which_and_why() -> None:
    silent = [
        f"{name_of(file)}: {line.strip()}"
        for file in MODULES
        for line in file.read_text(encoding="utf-8").splitlines()
        if "# type: ignore" in line and not re.search(r"# type: ignore\[[a-z-]+\]  # \w+", line)
    ]
    assert silent == []


def test_nothing_is_left_to_do_later() -> None:
    later = [name_of(file) for file in MODULES if re.search(r"\b(TODO|FIXME|XXX)\b", file.read_text("utf-8"))]
    assert later == []


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_audit_event_is_written_somewhere(kind: Kind) -> None:
    assert uses(rf"Kind\.{kind.name}", outside="flow/audit_events.py")


def test_every_metric_is_counted_somewhere() -> None:
    metrics = [
        name
        for name, value in vars(app.observability.metrics).items()
        if isinstance(value, MetricWrapperBase)
    ]
    assert metrics
    assert [name for name in metrics if not uses(name, outside="observability/metrics.py")] == []


def test_every_folder_says_what_it_is() -> None:
    silent = [
        name_of(folder / "__init__.py")
        for folder in {file.parent for file in MODULES}
        if not ast.get_docstring(tree(folder / "__init__.py"))
    ]
    assert silent == []


def test_every_module_says_what_it_is() -> None:
    silent = [name_of(file) for file in MODULES if not ast.get_docstring(tree(file))]
    assert silent == []


IMPORT: Final = """
import importlib, socket, sys, threading

def refuse(*args, **kwargs):
    raise AssertionError("a socket was opened at import")

socket.socket.connect = refuse
socket.socket.bind = refuse
for name in sys.argv[1:]:
    importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
print(" ".join(name for name in sys.modules if name.startswith("app.sandbox")))
"""


def imported(files: list[Path]) -> str:
    """Imports the modules in a bare process; gives what of the sandbox came along."""
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
        if file.name != "__main__.py"
    ]
    bare = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *names],
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_is_built_at_import_and_the_service_does_without_the_sandbox() -> None:
    assert imported(SERVICE) == ""


def test_nothing_of_the_sandbox_is_built_at_import() -> None:
    sandbox = [file for file in MODULES if file not in SERVICE]
    assert "app.sandbox.fakes" in imported(sandbox)


def test_the_docs_name_every_environment_variable() -> None:
    configuration = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    wanted = set()
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        wanted.add(alias if isinstance(alias, str) else str(getattr(alias, "choices", [""])[0]))
    assert {name for name in wanted if f"`{name}`" not in configuration} == set()


def test_the_docs_name_every_command() -> None:
    docs = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "docker").glob("*.md")]
    said = "\n".join(file.read_text(encoding="utf-8") for file in docs)
    commands = list(_commands(command_line, "switchgate"))
    assert "switchgate serve" in commands
    sandbox = {"switchgate sandbox": "make sandbox"}
    assert [command for command in commands if sandbox.get(command, command) not in said] == []


def test_the_changelog_tells_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(project['version'])}\] - \S+", changelog, re.MULTILINE)


def _commands(typed: typer.Typer, name: str) -> Iterator[str]:
    for command in typed.registered_commands:
        assert command.callback is not None
        yield f"{name} {command.name or command.callback.__name__}"
    for group in typed.registered_groups:
        assert group.typer_instance is not None
        yield from _commands(group.typer_instance, f"{name} {group.name}")


def imports_of(file: Path, modules: set[str]) -> Iterator[str]:
    """Modules of the app that a file imports anywhere, also under TYPE_CHECKING and within functions."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {file: ".".join(file.relative_to(ROOT).with_suffix("").parts) for file in MODULES}
    names = {file: name.removesuffix(".__init__") for file, name in names.items()}
    left = {name: set(imports_of(file, set(names.values()))) for file, name in names.items()}
    while done := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in done}
    assert sorted(left) == []
