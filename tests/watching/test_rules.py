"""Dashboard and alerts ask for what is there, and fire when they should; the guide names all of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from redis import Redis

from tests.personas import People
from tests.watching.filled import fill, scrape, scraper

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
GUIDE = (ROOT / "docs" / "guides" / "monitoring.md").read_text()
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD = json.loads((MONITORING / "grafana" / "dashboards" / "slipway.json").read_text())
# What Prometheus itself knows, and what Grafana fills in.
PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate"}}
TARGET = {"job", "instance"}
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool: none here")


def questions() -> Iterator[tuple[str, str]]:
    """Where each expression stands, and the expression."""
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def selectors(node: Any) -> Iterator[tuple[str, set[str]]]:
    """The metrics that an expression reads, with the labels that it selects or groups them by."""
    match node:
        case promql_parser.VectorSelector():
            yield node.name or "", {matcher.name for matcher in node.matchers.matchers}
        case promql_parser.MatrixSelector():
            yield from selectors(node.vector_selector)
        case promql_parser.AggregateExpr():
            grouped = set(node.modifier.labels) if node.modifier else set()
            yield from ((name, labels | grouped) for name, labels in selectors(node.expr))
        case promql_parser.BinaryExpr():
            yield from selectors(node.lhs)
            yield from selectors(node.rhs)
        case promql_parser.Call():
            for argument in node.args:
                yield from selectors(argument)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
            yield from selectors(node.expr)


@pytest.fixture
def there(people: People, monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The series of a server on which all has happened once: their names with their labels."""
    monkeypatch.setattr(Redis, "llen", lambda *_: 0)
    fill(people)
    found: dict[str, set[str]] = {}
    for family in scrape(people).values():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_dashboard_and_alerts_ask_for_what_is_there(there: dict[str, set[str]]) -> None:
    asked = [(where, each) for where, question in questions() for each in selectors(promql_parser.parse(question))]
    known = there | PROMETHEUS
    assert [(where, name) for where, (name, _) in asked if name not in known] == []
    wrong = [(where, name, labels - known[name] - TARGET) for where, (name, labels) in asked]
    assert [each for each in wrong if each[2]] == []
    assert len(asked) > 60


def test_the_guide_has_a_row_for_each_metric_and_alert(there: dict[str, set[str]]) -> None:
    ours = {name for name in there if name.startswith("slipway_")}
    wanted = {re.sub("(?<=_seconds)_(bucket|count|sum)$", "", name) for name in ours}
    rows = dict(re.findall(r"^\| `(slipway_\w+)` \|([^|]*)\|", GUIDE, re.MULTILINE))
    assert set(rows) == wanted
    for name, said in rows.items():
        labels = there[name] if name in there else there[f"{name}_bucket"] - {"le"}
        assert set(re.findall(r"`(\w+)`", said)) == labels, name
    assert set(re.findall(r"^\| `(Slipway\w+)` \|", GUIDE, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_alerts_say_what_and_how_bad() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_have_one_place_each() -> None:
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
        assert panel["datasource"]["uid"] == "${source}"
    source = yaml.safe_load(
        (MONITORING / "grafana" / "provisioning" / "datasources" / "slipway.yml").read_text()
    )["datasources"][0]  # fmt: skip
    assert DASHBOARD["templating"]["list"][0]["current"]["value"] == source["uid"]


@promtool
def test_rules_are_rules_and_fire(tmp_path: Path) -> None:
    rules = str(MONITORING / "rules.yml")
    cases = tmp_path / "cases.yml"
    cases.write_text((Path(__file__).parent / "rules_test.yml").read_text().replace("RULES", rules))
    for command in (["check", "rules", rules], ["test", "rules", str(cases)]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_what_we_tell_is_well_formed(people: People) -> None:
    fill(people)
    text = scraper(people).request("GET", "/metrics").content
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
