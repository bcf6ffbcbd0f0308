"""Markdown of the job summary. Titles and reasons are other people's words."""

import re


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~@-])", r"\\\1", " ".join(text.split()))


def table(rows: dict[str, str]) -> str:
    """A table of two columns; the values are Markdown already."""
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])
