"""The alert rules and the dashboard name series and labels that /metrics has, and the run-book has every alert."""

import json
import re
from typing import Any, Final

import promql_parser
import pytest
import yaml

from tests.infra.files import INFRA, ROOT, resources
from tests.infra.promql import labels_of_result, unknown_in

RULES: Final[list[dict[str, Any]]] = [
    rule
    for group in yaml.safe_load((INFRA / "prometheus" / "switchgate.rules.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: Final[dict[str, Any]] = json.loads((INFRA / "grafana" / "switchgate.json").read_text("utf-8"))
PANELS: Final[list[dict[str, Any]]] = DASHBOARD["panels"]
OPERATIONS: Final = (ROOT / "docs" / "operations.md").read_text("utf-8")
HEADINGS: Final = re.findall(r"^### (.+)$", OPERATIONS, re.MULTILINE)
EVERY_ALERT: Final = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
EVERY_PANEL: Final = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])


def expression_of(target: dict[str, Any]) -> str:
    """As Grafana sends it, once it has replaced its variables."""
    return str(target["expr"]).replace("$__rate_interval", "5m").replace("$domain", ".*")


@EVERY_ALERT
def test_an_alert_names_series_and_labels_that_exist(rule: dict[str, Any]) -> None:
    assert unknown_in(rule["expr"]) == []


@EVERY_ALERT
def test_an_alert_shows_only_labels_that_its_result_has(rule: dict[str, Any]) -> None:
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert shown <= labels_of_result(rule["expr"])


@EVERY_ALERT
def test_an_alert_has_the_form_that_prometheus_reads(rule: dict[str, Any]) -> None:
    assert {*rule} <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    if "for" in rule:
        assert promql_parser.parse_duration(rule["for"]).total_seconds() > 0


@EVERY_ALERT
def test_the_run_book_says_what_an_alert_means_and_what_to_do(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert HEADINGS.count(name) == 1
    section = OPERATIONS.split(f"### {name}\n")[1].split("\n#")[0]
    assert "**Meaning.**" in section
    assert "**Action.**" in section


def test_the_run_book_has_no_alert_that_does_not_exist() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    assert {heading for heading in HEADINGS if heading.startswith("Switchgate")} == set(names)


def test_the_run_book_names_every_alarm_of_cloudwatch() -> None:
    alarms = resources("switchgate.yaml", "AWS::CloudWatch::Alarm").values()
    names = [str(alarm["Properties"]["AlarmName"]) for alarm in alarms]
    suffixes = [found[1] for name in names if (found := re.search(r"switchgate-([a-z-]+)", name))]
    assert len(suffixes) == len(names) > 3
    assert [suffix for suffix in suffixes if f"`{suffix}`" not in OPERATIONS] == []


@EVERY_PANEL
def test_a_panel_names_series_and_labels_that_exist(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        expression = expression_of(target)
        assert unknown_in(expression) == []
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels_of_result(expression)


def test_the_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS) > 10
    cells = [
        (x, y)
        for grid in (panel["gridPos"] for panel in PANELS)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_the_variables_of_the_dashboard_read_series_that_exist() -> None:
    (query,) = [each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
    found = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert found is not None
    assert unknown_in(f'{found[1]}{{{found[2]}="x"}}') == []


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("switchgate_gates_waitng", ["switchgate_gates_waitng"]),
        ('rate(switchgate_hooks_total{verdict="approved"}[5m])', ["verdict"]),
        ("sum by (domain) (switchgate_hooks_total)", ["domain"]),
        ("switchgate_report_seconds", ["switchgate_report_seconds"]),
    ],
)
def test_a_misspelt_series_or_label_is_found(expression: str, unknown: list[str]) -> None:
    assert unknown_in(expression) == unknown
