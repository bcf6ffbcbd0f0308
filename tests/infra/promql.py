"""What PromQL expressions name, and what the service exposes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import promql_parser
from prometheus_client.metrics import Counter, Enum, Gauge, Histogram, MetricWrapperBase

import app.observability.metrics

TARGET_LABELS: Final = frozenset({"instance", "job"})
"""Prometheus itself adds them to each series."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The series of an expression with the labels of their matchers, and the labels that it groups by, if it does."""

    series: list[tuple[str, frozenset[str]]]
    grouped_by: set[str] | None


def exposed_series() -> Mapping[str, frozenset[str]]:
    """Name of each series that /metrics has -> its labels."""
    metrics = [
        each for each in vars(app.observability.metrics).values() if isinstance(each, MetricWrapperBase)
    ]
    return {name: labels for metric in metrics for name, labels in _series_of(metric)}


def _series_of(metric: MetricWrapperBase) -> Iterator[tuple[str, frozenset[str]]]:
    name, labels = metric._name, frozenset(metric._labelnames)
    match metric:
        case Counter():
            yield f"{name}_total", labels
        case Histogram():
            yield f"{name}_bucket", labels | {"le"}
            yield f"{name}_sum", labels
            yield f"{name}_count", labels
        case Enum():
            yield name, labels | {name}
        case Gauge():
            yield name, labels
        case _:
            raise NotImplementedError(type(metric).__name__)


def named_in(expression: str) -> Named:
    """Raises `ValueError` if it does not parse."""
    series: list[tuple[str, frozenset[str]]] = []
    groups: list[set[str]] = []

    def visit(node: Any) -> None:
        match node:
            case promql_parser.VectorSelector() if node.name is not None:
                matched = frozenset(each.name for each in node.matchers.matchers)
                series.append((node.name, matched))
            case promql_parser.AggregateExpr():
                groups.append(set(node.modifier.labels) if node.modifier else set())
            case _:
                pass

    promql_parser.walk(promql_parser.parse(expression), pre_visit=visit)
    return Named(series=series, grouped_by=set().union(*groups) if groups else None)


def unknown_in(expression: str) -> list[str]:
    """The series and labels that the service does not have."""
    exposed, named = exposed_series(), named_in(expression)
    labels = TARGET_LABELS.union(*(exposed.get(name, frozenset()) for name, _ in named.series))
    return [
        *(name for name, _ in named.series if name not in exposed),
        *(label for name, matched in named.series for label in matched - exposed.get(name, frozenset())),
        *((named.grouped_by or set()) - labels),
    ]


def labels_of_result(expression: str) -> set[str]:
    """The labels that a legend or an annotation may show: those grouped by, or else those of the series."""
    exposed, named = exposed_series(), named_in(expression)
    if named.grouped_by is not None:
        return named.grouped_by
    return {*TARGET_LABELS, *(label for name, _ in named.series for label in exposed[name])}
