"""The inputs of the action, as environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from switchgate_pipeline.failures import PipelineFailure


@dataclass(frozen=True, slots=True)
class Inputs:
    """Blank inputs count as left out. Each property raises `PipelineFailure` if what it needs is missing or wrong."""

    environ: Mapping[str, str]

    def optional(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def required(self, name: str) -> str:
        value = self.optional(name)
        if not value:
            raise PipelineFailure(
                "Input missing", f"{name.lower().replace('_', '-')} is not set, and this step needs it."
            )
        return value

    def number(self, name: str, default: float) -> float:
        text = self.optional(name)
        try:
            value = float(text) if text else default
        except ValueError:
            value = -1.0
        if not 0 <= value < 1_000_000:
            raise PipelineFailure("Input wrong", f"{name.lower().replace('_', '-')} is not a number.")
        return value

    def port(self, name: str) -> int:
        text = self.required(name)
        if not text.isdecimal() or not 1 <= int(text) <= 65_535:
            raise PipelineFailure("Input wrong", f"{name.lower().replace('_', '-')} is not a port.")
        return int(text)

    def flag(self, name: str) -> bool:
        text = self.optional(name, "false").lower()
        if text not in ("true", "false"):
            raise PipelineFailure("Input wrong", f"{name.lower().replace('_', '-')} is true or false.")
        return text == "true"

    @property
    def time_zone(self) -> ZoneInfo:
        name = self.optional("TIME_ZONE", "UTC")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise PipelineFailure("Input wrong", "time-zone is not a zone such as Asia/Seoul.") from None
