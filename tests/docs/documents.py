"""The project's Markdown pages, and what they name."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
NOT_OURS: Final = {".venv", ".git", ".pytest_cache", ".hypothesis", "node_modules"}


def pages() -> list[Path]:
    """Every Markdown page of the project."""
    return [path for path in sorted(ROOT.rglob("*.md")) if not NOT_OURS & set(path.relative_to(ROOT).parts)]


def links(page: Path) -> Iterator[str]:
    """The targets of links and pictures."""
    return (found[1] for found in re.finditer(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")))


def code(page: Path) -> Iterator[str]:
    """What stands in backticks, in code blocks and in indented lines."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block[1].splitlines()
    text = re.sub(r"^```[a-z]*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from (found[1].strip() for found in re.finditer(r"^    (.*)$", text, re.MULTILINE))
    yield from (" ".join(found[1].split()) for found in re.finditer(r"`([^`]+)`", text))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def prose(module: Path) -> Iterator[tuple[int, str]]:
    """The docstrings and comments of a module, with their lines."""
    source = module.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text
            case _:
                pass
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
