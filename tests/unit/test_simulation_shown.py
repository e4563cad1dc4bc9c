"""A simulation's table, object and picture; and the workloads of the bench that plays a week."""

import pytest

from mlinfn_condor.bench import contended
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.cli.simulating import _show
from mlinfn_condor.contracts.settings import parse
from mlinfn_condor.errors import UserError
from mlinfn_condor.simulation.picture import draw, refuse
from mlinfn_condor.simulation.playing import Simulation
from mlinfn_condor.simulation.reckoning import Played, reckon
from mlinfn_condor.simulation.telling import as_json
from mlinfn_condor.simulation.trace import Job, Run
from mlinfn_condor.simulation.workload import Submit, Workload

CONTRACTS = parse('[pool]\nprojects = ["alpha"]\n[pool.nodes.a]\ngpus = { T4 = 1 }\n', "contracts")
SUBMIT = Submit(2, 0.0, "ann", "alpha", PriorityClass.BATCH, 1, "", 1, 7200.0, 2, 0.0, 10.0)
RUN = Run(600.0, 7800.0, ("GPU-a-T4-0",), "completed")


@pytest.fixture
def simulation() -> Simulation:
    played = [
        Played(SUBMIT, Job(2, 0, 0.0, (RUN,), over=True), ((7800.0, 7200.0),)),
        Played(SUBMIT, Job(2, 1, 0.0)),
    ]
    outcome = reckon(played, 1, {"alpha": 1}, {"alpha": 3.0}, 9000.0)
    workload = Workload("some.csv", (SUBMIT,))
    return Simulation(
        workload, CONTRACTS, 360.0, outcome, 42.0, 0.0123456, ("hours do not scale",), ("one was refused",)
    )


def test_the_table_tells_figures_limits_and_what_went_wrong(simulation, capsys):
    _show(simulation)
    told = capsys.readouterr().out
    for part in ("some.csv: 2.5 h at 360 times", "2.0 device-hours claimed, 2.0 of them work that was kept (100.0 %)"):
        assert part in told
    assert "! one was refused\n- hours do not scale\n" in told
    assert "10 min" in told


def test_the_object_has_rounded_figures_and_no_more(simulation):
    told = as_json(simulation)
    assert told["wall_late_s"] == 0.012
    assert told["projects"][0]["share_percent"] == 100
    assert told["classes"][0] == {
        "priority_class": "batch",
        "jobs": 2,
        "started": 1,
        "completed": 1,
        "median_wait_s": 600,
        "p95_wait_s": 600,
        "worst_wait_s": 600,
        "waits_still_s": 9000,
        "evictions": 0,
        "lost_h": 0,
    }


def test_a_picture_is_drawn_and_another_kind_of_file_refused(simulation, tmp_path):
    draw(simulation, tmp_path / "some.svg")
    assert "alpha" in (tmp_path / "some.svg").read_text()
    with pytest.raises(UserError, match="a picture is"):
        refuse(tmp_path / "some.pdf")


@pytest.mark.parametrize("case", [contended.PLEDGES, contended.SURPLUS])
def test_each_project_asks_for_more_than_it_can_get_all_week(case):
    workload, contracts, due = contended.contest(case, contended.SPAN)
    devices = sum(map(contracts.pool.count, contracts.pool.models))
    for project, percent in due.items():
        asked = sum(s.count * s.duration for s in workload.submits if s.project == project)
        assert asked > 1.2 * percent / 100 * devices * contended.SPAN
    assert sum(due.values()) == pytest.approx(100)
