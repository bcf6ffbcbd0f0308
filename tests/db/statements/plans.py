"""How much Postgres read for an answer, by its own count: `EXPLAIN (ANALYZE, FORMAT JSON)` and auto_explain."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

Plan = Mapping[str, Any]

SETTINGS: Final = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """A statement that was run: the rows and blocks that its plan looked at, and the tables read from end to end."""

    text: str
    rows: float
    blocks: float
    scanned: frozenset[str]
    milliseconds: float
    plan: Plan

    @classmethod
    def of(cls, text: str, plan: Plan, milliseconds: float = 0) -> "Ran":
        nodes = list(_nodes(plan))
        scans = (node for node in nodes if node["Node Type"] == "Seq Scan" and node["Actual Loops"])
        return cls(
            text=" ".join(text.split()),
            rows=sum(_looked_at(node) for node in nodes),
            blocks=sum(max(0, _blocks(node) - sum(map(_blocks, _children(node)))) for node in nodes),
            scanned=frozenset(scan["Relation Name"] for scan in scans),
            milliseconds=milliseconds,
            plan=plan,
        )


class Recorder:
    """What sessions of a database run, as they report it themselves. `watch` each connection; see `report_plans`."""

    def __init__(self) -> None:
        self.ran: list[Ran] = []

    def watch(self, connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]") -> None:
        connection.add_notice_handler(self._noticed)

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        head, found, report = (notice.message_primary or "").partition("plan:\n")
        if found:
            explained = json.loads(report)
            milliseconds = float(head.removeprefix("duration: ").split()[0])
            self.ran.append(Ran.of(explained["Query Text"], explained["Plan"], milliseconds))


def report_plans(url: str, *, plan_cache_mode: str) -> None:
    """From now on, every session of this database sends its client the plan of each statement, as a notice."""
    with psycopg.connect(url, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname)
        for name, value in {**SETTINGS, "plan_cache_mode": plan_cache_mode}.items():
            setting = sql.SQL(".").join(map(sql.Identifier, name.split(".")))
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, setting, sql.Literal(value))
            )


def most_read(plan: Plan) -> float:
    """The rows that the busiest step of a plan looked at, those that it threw away among them."""
    return max(_looked_at(node, loops=1) for node in _nodes(plan))


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for child in _children(plan):
        yield from _nodes(child)


def _children(plan: Plan) -> Sequence[Plan]:
    children: Sequence[Plan] = plan.get("Plans", [])
    return children


def _looked_at(node: Plan, *, loops: float | None = None) -> float:
    removed = sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
    looked_at: float = (node["Actual Rows"] + removed) * (node["Actual Loops"] if loops is None else loops)
    return looked_at


def _blocks(node: Plan) -> float:
    blocks: float = node.get("Shared Hit Blocks", 0) + node.get("Shared Read Blocks", 0)
    return blocks
