"""boto3's service models, read once for all tests.

Every boto3 session reads and parses the models of its clients again: some 100 ms for the clients of one service,
of which each test has one of its own.
"""

from collections import OrderedDict
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


class CachingFileLoader(JSONFileLoader):
    """Reads each file once per process. boto3 only reads what it gets: the clients of a session share it, too."""

    _found: dict[str, bool] = {}
    _read: dict[str, OrderedDict[str, Any] | None] = {}

    def exists(self, file_path: str) -> bool:
        if file_path not in self._found:
            self._found[file_path] = super().exists(file_path)
        return self._found[file_path]

    def load_file(self, file_path: str) -> OrderedDict[str, Any] | None:
        if file_path not in self._read:
            self._read[file_path] = super().load_file(file_path)
        return self._read[file_path]


def share_service_models() -> None:
    """For all sessions of this process."""
    Loader.FILE_LOADER_CLASS = CachingFileLoader
