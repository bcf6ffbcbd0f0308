"""A value in a JSON answer, by a path of names and places: `components.db.0.status`."""

from typing import Any


class PathNotFound(Exception):
    """The JSON has no value at this path."""


def value_at(found: Any, path: str) -> Any:
    """Raises `PathNotFound`."""
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            raise PathNotFound(path)
    return found
