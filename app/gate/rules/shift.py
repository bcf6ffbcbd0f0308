"""How a deployment moves its traffic: rules may differ by it."""

from enum import StrEnum


class Shift(StrEnum):
    ALL_AT_ONCE = "all_at_once"
    CANARY = "canary"
    LINEAR = "linear"
