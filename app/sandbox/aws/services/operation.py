"""The interface of every operation of every service."""

from collections.abc import Callable
from typing import Any

Params = dict[str, Any]
Operation = Callable[[Params], dict[str, Any]]
