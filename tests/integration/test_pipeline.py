"""A DAG of three trainings on a site that allows DAGMan, as a person submits it by hand."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.servers import SERVER1
from mlinfn_condor.settings import Settings
from mlinfn_condor.shipped import shipped

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "pipeline"


@pytest.fixture(scope="module")
def dag_pool(pool_home: Path) -> Iterator[RunningPool]:
    settings = Settings(home=pool_home, pool="dags")
    # Not strict: it would refuse logs in /tmp, where tests have their folders.
    overrides = "MLINFN_ALLOW_DAGMAN = true\nDAGMAN_USER_LOG_SCAN_INTERVAL = 1\nDAGMAN_USE_STRICT = 0\n"
    yield lifecycle.up(settings, blueprint=Blueprint(nodes=(SERVER1,), use_real_devices=False, overrides=overrides))
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture
def pipeline(dag_pool: RunningPool, tmp_path: Path) -> Driver:
    templates = shipped("submit_templates")
    for file in (*EXAMPLE.glob("*.py"), templates / "pipeline.dag", templates / "training.sub"):
        shutil.copy(file, tmp_path)
    return Driver(dag_pool, tmp_path)


def run(pipeline: Driver) -> str:
    """The exit status that DAGMan's own log tells, once it has ended."""
    said = pipeline.run("condor_submit_dag", "-force", "pipeline.dag")
    log = pipeline.folder / "pipeline.dag.dagman.out"
    ended = "EXITING WITH STATUS "
    text = wait_until(lambda: log.exists() and ended in log.read_text() and log.read_text(), 120, f"its end: {said}")
    return text.rpartition(ended)[2].split()[0]


def test_each_step_begins_when_the_one_before_has_succeeded(pipeline: Driver) -> None:
    assert run(pipeline) == "0"
    assert json.loads((pipeline.folder / "evaluation.json").read_text())["mean_squared_error"] < 0.1
    told = "".join(path.read_text() for path in pipeline.folder.glob("training.*.out"))
    assert told.count("epoch 200 of 200") == 1
    steps = pipeline.query("condor_history", "-name", "batch@", "-constraint", "DAGNodeName =!= undefined")
    assert {(step["DAGNodeName"], step["Owner"], step["PriorityClass"]) for step in steps} == {
        (name, "alice", "batch") for name in ("prepare", "train", "evaluate")
    }
    wait_until(lambda: not pipeline.jobs(PriorityClass.BATCH), 30, "DAGMan to leave the queue")


def test_a_step_that_fails_stops_what_comes_after_it_and_tells_where_to_go_on(pipeline: Driver) -> None:
    (pipeline.folder / "prepare.py").write_text("raise SystemExit(3)\n")
    assert run(pipeline) == "1"
    assert (pipeline.folder / "pipeline.dag.rescue001").exists()
    assert not (pipeline.folder / "model.json").exists()
