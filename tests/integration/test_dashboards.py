"""Dashboards and alarms: each can be loaded, and asks only for what there is.

Grafana itself is not at hand, so its schema, the units it knows and its macros stand here as far as the files use them.
"""

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from metrics_site import NOW, PERIOD, SINCE, as_reports, history
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from mlinfn_condor.accounting import dashboards
from mlinfn_condor.accounting.metrics import shown
from mlinfn_condor.accounting.metrics.exporter import Exporter
from mlinfn_condor.accounting.metrics.recorded import RecordedFigures
from mlinfn_condor.accounting.reports import answer
from mlinfn_condor.backup import record
from mlinfn_condor.backup.metrics import BackupCollector
from mlinfn_condor.backup.record import Record
from mlinfn_condor.backup.running import Room
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.services import state
from mlinfn_condor.services.metrics import ServicesCollector
from mlinfn_condor.services.state import RunnerState, ServiceState
from mlinfn_condor.store import connect
from mlinfn_condor.store.local import LocalServer

FILES = {file.name: file.read_text(encoding="utf-8") for file in dashboards.shipped()}
BOARDS = {name: json.loads(text) for name, text in FILES.items() if name.endswith(".json")}
ALARMS = [rule for group in yaml.safe_load(FILES["mlinfn-alarms.yml"])["groups"] for rule in group["rules"]]
UNITS = {"none", "short", "percent", "percentunit", "watt", "kwatth", "joule", "bytes", "celsius", "s", "h"}
"""Ids of units as Grafana knows them."""
KINDS = {"row", "stat", "timeseries", "bargauge", "table"}
SOURCES = {"prometheus": "${prometheus}", "grafana-postgresql-datasource": "${postgresql}"}
COLUMNS = 24
SET_BY_GRAFANA = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "1d"}
NOT_BASE_UNITS = {"ms", "minutes", "hours", "days", "kwh", "mb", "mib", "kb", "mhz", "percent"}
SINCE_A_TIME = {"rate", "irate", "increase"}
"""Functions that take a fall for a new beginning: for counters only."""

READING = {
    "Id": "GPU-0", "Model": "A100", "At": 1_800_000_000, "BusySeconds": 30.5, "MeasuredSeconds": 60, "Joules": 900,
    "EnergySeconds": 60, "PowerWatts": 250, "MemoryUsedMb": 10, "MemoryTotalMb": 40_000, "TemperatureC": 60,
    "Health": "ok",
}  # fmt: skip
SLOT = {
    "Name": "slot1@node-a@host",
    "PartitionableSlot": True,
    "MlinfnOffer": "session",
    "DeviceReadings": [READING],
}
PRIORITY = {"Name": "group_batch", "IsAccountingGroup": True, "Priority": 500.0}


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def targets(kind: str) -> list[Any]:
    """Each query of this kind of source, under the board's and panel's name."""
    return [
        pytest.param(target, panel, id=f"{board['uid']}: {panel['title']} {target['refId']}")
        for board in BOARDS.values()
        for panel in panels(board)
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == kind
    ]


@pytest.fixture(scope="module")
def dsn(postgres: LocalServer) -> Iterator[str]:
    with history(postgres) as made:
        yield as_reports(made)


def backed_up(folder: Path) -> Callable[[], tuple[BackupSettings, Room]]:
    """What the services' port has to say of: a backup that was made and verified."""
    room, now = Room(folder), time.time()
    record.write(room.record, Record(since=1, tried_at=now, good_at=now, files=1, bytes=1, verified_at=now))
    return lambda: (BackupSettings(repository="/srv/backup", password_file=Path("/etc/password")), room)


def running(file: Path) -> Path:
    """The runner's file while it runs one service."""
    pid, born = state.me()
    now = time.time()
    state.write(file, RunnerState(pid, born, now, (ServiceState("recorder", "running", now, pid, born, starts=1),)))
    return file


@pytest.fixture(scope="module")
def exported(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Metric]:
    """What a real scrape of a site says that has something to say of everything, by the names that queries use."""
    pool = TwinPool([SLOT], [PRIORITY])
    pool.submit('executable = /bin/true\n+PriorityClass = "batch"\nqueue', "batch@")
    registry = CollectorRegistry()
    recorded = RecordedFigures(lambda: dsn, 300, lambda: NOW)
    sources = {"database": recorded.look, "pool": lambda: shown.told(shown.ask(pool), users=True)}
    registry.register(Exporter(sources, 0, 30))
    registry.register(BackupCollector(backed_up(tmp_path_factory.mktemp("backup"))))
    registry.register(ServicesCollector(running(tmp_path_factory.mktemp("services") / "state.json")))
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))
    assert not [family.name for family in families if not family.samples]
    return {sample.name: family for family in families for sample in family.samples}


def labels_of(exported: dict[str, Metric], name: str) -> set[str]:
    """Those of its samples, and what Prometheus adds."""
    own = {label for sample in exported[name].samples if sample.name == name for label in sample.labels}
    return own | {"instance", "job"}


def selected(expression: str) -> Iterator[tuple[promql.VectorSelector, set[str], set[str]]]:
    """Selectors of a query, the functions that each stands in, and the labels it is grouped by."""
    for variable, value in SET_BY_GRAFANA.items():
        expression = expression.replace(variable, value)

    def walk(node: Any, functions: set[str], by: set[str]) -> Iterator[tuple[Any, set[str], set[str]]]:
        match node:
            case promql.VectorSelector():
                yield node, functions, by
            case promql.MatrixSelector():
                yield node.vector_selector, functions, by
            case promql.AggregateExpr():
                yield from walk(node.expr, functions, by | set(node.modifier.labels if node.modifier else ()))
            case promql.Call():
                for argument in node.args:
                    yield from walk(argument, functions | {node.func.name}, by)
            case promql.BinaryExpr():
                yield from walk(node.lhs, functions, by)
                yield from walk(node.rhs, functions, by)
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                yield from walk(node.expr, functions, by)
            case _:
                assert isinstance(node, promql.NumberLiteral | promql.StringLiteral), node

    yield from walk(promql.parse(expression), set(), set())


def check_query(expression: str, shown_labels: set[str], exported: dict[str, Metric]) -> None:
    """It parses, names what is exported, with labels that it has, and asks counters and gauges as each is asked."""
    known: set[str] = set()
    found = list(selected(expression))
    assert found, f"{expression} asks for nothing"
    for selector, functions, by in found:
        assert selector.name in exported, f"{selector.name} is not exported"
        labels = labels_of(exported, selector.name)
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked | by <= labels, f"{selector.name} has no label {sorted((asked | by) - labels)}"
        counts = exported[selector.name].type in ("counter", "histogram")
        assert not (functions & SINCE_A_TIME and not counts), f"{selector.name} may fall: delta()"
        assert not ("delta" in functions and counts), f"{selector.name} is a counter: increase()"
        known |= by or labels
    assert shown_labels <= known, f"{sorted(shown_labels - known)} is not in the answer"


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_has_what_grafana_needs_to_load_it(name: str) -> None:
    board = BOARDS[name]
    assert board["schemaVersion"] >= 36
    assert board["id"] is None
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", board["uid"])
    assert board["title"]
    assert {"from", "to"} <= board["time"].keys()
    assert isinstance(board["annotations"]["list"], list)
    every = list(panels(board))
    assert len({panel["id"] for panel in every}) == len(every)
    assert {panel["type"] for panel in every} <= KINDS
    for panel in every:
        assert panel["title"]
        if panel["type"] == "row":
            continue
        assert panel["targets"], panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        rules = panel["fieldConfig"]
        units = [
            rules["defaults"]["unit"],
            *(each["value"] for rule in rules["overrides"] for each in rule["properties"] if each["id"] == "unit"),
        ]
        assert set(units) <= UNITS, panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_no_panel_lies_on_another(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(BOARDS[name]):
        at = panel["gridPos"]
        assert at["w"] > 0
        assert at["h"] > 0
        assert at["x"] >= 0
        assert at["x"] + at["w"] <= COLUMNS
        for place in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert place not in taken, f"{panel['title']} lies on {taken[place]}"
            taken[place] = panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_sources_are_variables_so_that_any_grafana_can_load_it(name: str) -> None:
    board = BOARDS[name]
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    for panel in panels(board):
        for source in [panel.get("datasource"), *(target["datasource"] for target in panel.get("targets", ()))]:
            if source is not None:
                assert source["uid"] == SOURCES[source["type"]]
                variable = variables[source["uid"].strip("${}")]
                assert (variable["type"], variable["query"]) == ("datasource", source["type"])
    used = set(re.findall(r"\$\{(\w+)\}", json.dumps(board["panels"])))
    assert used == set(variables)


def test_no_two_boards_share_an_address() -> None:
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS) == 2


@pytest.mark.parametrize(("target", "panel"), targets("prometheus"))
def test_a_query_names_what_the_endpoint_exports(
    target: dict[str, Any], panel: dict[str, Any], exported: dict[str, Metric]
) -> None:
    check_query(target["expr"], set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"])), exported)
    assert target["instant"] is not target["range"]


@pytest.mark.parametrize("rule", ALARMS, ids=lambda rule: rule["alert"])
def test_an_alarm_names_what_the_endpoint_exports(rule: dict[str, Any], exported: dict[str, Metric]) -> None:
    words = " ".join(rule["annotations"].values())
    check_query(rule["expr"], set(re.findall(r"\$labels\.(\w+)", words)), exported)
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"].keys() == {"summary", "description"}
    assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))


def test_names_and_helps_are_as_prometheus_wants_them(exported: dict[str, Metric]) -> None:
    for name, family in exported.items():
        assert re.fullmatch(r"mlinfn_[a-z_]+", name)
        assert not set(name.split("_")) & NOT_BASE_UNITS
        assert family.documentation.endswith(".")
        assert (family.type == "counter") == name.endswith("_total")
        assert not labels_of(exported, name) & {"user", "username", "cluster", "job_id", "task"}


def test_alarms_have_names_of_their_own() -> None:
    assert len({rule["alert"] for rule in ALARMS}) == len(ALARMS)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("sum(mlinfn_nothing)", "is not exported"),
        ("rate(mlinfn_claimed_device_seconds[5m])", "may fall"),
        ("delta(mlinfn_spawns_total[5m])", "is a counter"),
        ("sum by (planet) (mlinfn_devices)", "has no label"),
        ('mlinfn_devices{planet="earth"}', "has no label"),
    ],
)
def test_this_test_can_fail(expression: str, said: str, exported: dict[str, Metric]) -> None:
    with pytest.raises(AssertionError, match=said):
        check_query(expression, set(), exported)
    with pytest.raises(ValueError, match="unclosed"):
        check_query("sum(mlinfn_devices", set(), exported)


@pytest.mark.parametrize(("target", "panel"), targets("grafana-postgresql-datasource"))
def test_a_statement_runs_as_who_may_only_read(target: dict[str, Any], panel: dict[str, Any], dsn: str) -> None:
    assert target["rawQuery"] is True
    ways = ["project", "device-model", "day", "user"] if "${by}" in target["rawSql"] else [""]
    with connect(dsn, autocommit=True) as connection:
        for by in ways:
            cursor = connection.execute(filled(target["rawSql"], by))
            rows = cursor.fetchall()
            names = [column.name for column in cursor.description or ()]
            assert rows, f"nothing by {by}"
            assert len(set(names)) == len(names)
            if target["format"] == "time_series":
                assert names[0] == "time"
                assert all(isinstance(row[0], datetime) for row in rows)
                assert [row[0] for row in rows] == sorted(row[0] for row in rows)
            else:
                assert target["format"] == "table"


def filled(statement: str, by: str) -> str:
    """As Grafana sends it, for the whole history."""
    since, until = (f"'{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'" for moment in (SINCE, NOW))
    statement = statement.replace("$__timeFrom()", since).replace("$__timeTo()", until).replace("${by}", by)
    assert "$" not in statement
    return statement


@pytest.mark.parametrize(
    ("title", "report"), [("Utilisation in the time range", "utilisation"), ("Usage in the time range", "usage")]
)
def test_tables_say_what_the_reports_say(title: str, report: str, dsn: str) -> None:
    (target,) = [panel["targets"][0] for board in BOARDS.values() for panel in panels(board) if panel["title"] == title]
    with connect(dsn) as connection:
        cursor = connection.execute(filled(target["rawSql"], "project"))
        names = [column.name for column in cursor.description or ()]
        rows = {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
        told = answer(connection, report, PERIOD, "project").tables[0].records()
        assert rows.keys() == {record["project"] for record in told}
        for record in told:
            row = rows[record["project"]]
            for name in names[1:]:
                assert row[name] == pytest.approx(record[name]), name
