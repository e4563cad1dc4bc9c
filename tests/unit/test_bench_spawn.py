"""The pure parts of the bench `spawn`: who asked how often, whose processes are counted, when a crowd clicks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlinfn_condor.bench import spawn, spawn_batchspawner, spawn_browser, spawn_polling
from mlinfn_condor.bench.figures import Case, Measured, starts
from mlinfn_condor.bench.spawn import CASES, run
from mlinfn_condor.bench.spawn_crowd import moments
from mlinfn_condor.bench.spawn_polling import family, most_in_an_interval, queries
from mlinfn_condor.bench.spawn_visitor import Failed, Visitor
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.errors import Timeout, UserError

ASKED = "command 516 (QUERY_JOB_ADS) from"
LOG = f"""\
11/24/26 02:00:00.500 Calling HandleReq <command_query_job_ads> (0) for {ASKED} hub@spawn <127.0.0.1:1>
11/24/26 02:00:00.501 Return from HandleReq <command_query_job_ads> (handler: 0.001s, sec: 0.000s, payload: 0.000s)
11/24/26 02:00:03.000 Calling HandleReq <command_query_job_ads> (0) for {ASKED} admin@spawn <127.0.0.1:2>
11/24/26 02:00:05.000 Calling HandleReq <handle_q> (0) for command 1112 (QMGMT_WRITE_CMD) from hub@spawn <127.0.0.1:3>
11/24/26 02:00:10.750 Calling HandleReq <command_query_job_ads> (0) for {ASKED} hub@spawn <127.0.0.1:4>
11/24/26 02:00:11.000 Calling HandleReq <command_query_job_ads> (0) for {ASKED} hubert@spawn <127.0.0.1:5>
a line of somebody else
"""


def test_of_an_access_points_log_only_the_hubs_questions_for_the_queue_count() -> None:
    first, second = queries(LOG.splitlines(), "hub")
    assert second - first == pytest.approx(10.25)


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        ([], 0),
        ([7.0], 1),
        ([0.0, 10.1, 20.0, 30.2], 1),
        ([0.0, 10.0, 10.5, 20.0], 2),
        ([20.0, 10.5, 0.0, 10.0], 2),
        ([0.0, 5.1, 10.2, 15.1], 2),
        ([float(n) for n in range(40)], 11),
    ],
    ids=["none", "one", "steady", "one twice", "in any order", "twice as often", "one each second"],
)
def test_the_worst_interval_is_told_and_no_average(asked: list[float], most: int) -> None:
    assert most_in_an_interval(asked, 10) == most


def test_services_and_their_children_belong_to_the_hub_and_others_do_not() -> None:
    parents = {10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    assert family(10, parents) == {11, 12}


@pytest.mark.parametrize(("people", "expected"), [(1, [0.0]), (2, [0.0, 5.0]), (3, [0.0, 2.5, 5.0])])
def test_a_crowd_clicks_evenly_within_its_seconds(people: int, expected: list[float]) -> None:
    assert moments(people, 5) == expected


def test_a_case_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match=", ".join(CASES)):
        run(SilentReport(), ["free", "queue"])


def test_a_case_that_fails_is_told_and_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def case(_folder: object, _report: object, name: str, _extent: object) -> Case:
        if name == "polling":
            raise Timeout("no pool within 60 s")
        return Case(name, Measured({"p95_s": 1.0, "failed": 0}), {"p95_s": ("<=", 10)})

    monkeypatch.setattr(spawn, "_case", case)
    told = run(SilentReport(), ["free", "polling"])["cases"]
    assert [(one["case"], one["holds"]) for one in told] == [("free", True), ("polling", False)]
    assert told[1]["failures"] == ["Timeout: no pool within 60 s"]


@pytest.mark.parametrize(
    ("seconds", "failures", "figures"),
    [
        ([2.0, 1.0], [], {"median_s": 1.5, "p95_s": 2.0, "worst_s": 2.0, "n": 2, "failed": 0}),
        ([2.0], ["late"], {"median_s": 2.0, "p95_s": 2.0, "worst_s": 2.0, "n": 1, "failed": 1}),
        ([], ["late", "held"], {"n": 0, "failed": 2}),
    ],
)
def test_who_failed_is_counted_and_gives_no_time(
    seconds: list[float], failures: list[str], figures: dict[str, float]
) -> None:
    measured = starts("usable_s", seconds, failures)
    assert measured.figures == figures
    assert measured.failures == failures


def test_what_stands_beside_may_fail_and_ours_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @contextmanager
    def stand(*_: object) -> Iterator[None]:
        yield

    def beside(*_: object) -> None:
        raise Timeout("120 slots were taken")

    monkeypatch.setattr(spawn, "hub_stand", stand)
    monkeypatch.setattr(spawn_browser, "measure", lambda *_: starts("usable_s", [3.0], []))
    monkeypatch.setattr(spawn_batchspawner, "measure", beside)
    case = spawn._case(tmp_path, SilentReport(), "full", spawn.QUICK).as_json()
    assert case["figures"]["p95_s"] == 3.0
    assert case["beside"]["failures"] == ["Timeout: 120 slots were taken"]


class Clicked(Visitor):
    """Whose first click fails, if the name says so."""

    def __init__(self, _url: str, name: str, _password: str) -> None:
        self.name = name

    def start(self, options: dict[str, object]) -> float:
        if self.name in tired:
            tired.remove(self.name)
            raise Failed(f"{self.name}: Result is not set")
        return 1.0


tired: set[str] = set()


def test_a_start_that_fails_is_counted_and_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    tired.update({"u002"})
    monkeypatch.setattr(spawn_polling, "Visitor", Clicked)
    names = ("u001", "u002", "u003")
    stand = SimpleNamespace(
        hub=SimpleNamespace(url="", passwords=dict.fromkeys(names, "")),
        report=SilentReport(),
        plan=SimpleNamespace(names=names),
    )
    assert spawn_polling._start_all(stand) == ["u002: Result is not set"]  # type: ignore[arg-type]
    assert not tired
