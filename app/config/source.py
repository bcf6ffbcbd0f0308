"""Reads the text of `switchgate.toml`."""

from pathlib import Path
from typing import Final, Protocol

from app.config.location import VARIABLE
from app.config.schema import ConfigError, Problem

FILE_REMEDY: Final = f"Write one with `switchgate init`, or name another place by {VARIABLE}."


class ConfigUnread(ConfigError):
    """The text could not be read, so nothing is known about what it says."""


class ConfigSource(Protocol):
    """`name` is what problems call it. `is_remote`: it changes without a signal, so it is read again on a timer."""

    @property
    def name(self) -> str: ...

    @property
    def is_remote(self) -> bool: ...

    def read(self) -> str:
        """Blocks. Raises `ConfigError`."""
        ...


class FileSource:
    """A file of this machine."""

    is_remote: Final = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name: Final = str(path)

    def read(self) -> str:
        try:
            raw = self._path.read_bytes()
        except OSError as exc:
            why = (exc.strerror or type(exc).__name__).lower()
            raise unread(self.name, why, FILE_REMEDY) from None
        return decoded(raw, name=self.name)


class TextSource:
    """The value of the environment variable. It cannot change while the process runs."""

    is_remote: Final = False
    name: Final = VARIABLE

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> str:
        return self._text


def decoded(raw: bytes, *, name: str) -> str:
    """Raises `ConfigError`."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        what = f"is not UTF-8 (byte {exc.start})"
        raise ConfigError(
            Problem(file=name, key="", what=what, remedy="Save it as UTF-8, as TOML wants.")
        ) from None


def unread(name: str, why: str, remedy: str) -> ConfigUnread:
    return ConfigUnread(Problem(file=name, key="", what=f"cannot be read: {why}", remedy=remedy))
