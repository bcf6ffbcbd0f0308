"""What every operation of every service looks like from the wire."""

from collections.abc import Callable
from typing import Any

Params = dict[str, Any]
Operation = Callable[[Params], dict[str, Any]]
