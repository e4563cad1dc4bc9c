"""The main job, as a person has it who types `mlinfn demo`: its outcome, line by line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlinfn_condor.demo.trainings import SAVE_SECONDS

LONGEST_SECONDS = 400
"""Three minutes are the promise for 2 idle cores; tests of others may share them."""


def mlinfn(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "CONDOR_CONFIG"}
    return subprocess.run(
        [Path(sys.executable).with_name("mlinfn"), "--pool", "story", *words],
        env=environment | {"MLINFN_HOME": str(home), "NO_COLOR": "1"},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )


@pytest.fixture(scope="module")
def played(pool_home: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """The story, played once; the pool is still up."""
    try:
        done = mlinfn(pool_home, "demo", "--json")
        assert done.returncode == 0, done.stderr
        yield done
    finally:
        mlinfn(pool_home, "pool", "down")


@pytest.fixture(scope="module")
def outcome(played: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(played.stdout)


def test_every_training_finishes_and_learns(outcome):
    assert len(outcome["trainings"]) >= 16
    assert all(training["accuracy"] > 0.9 for training in outcome["trainings"])


def test_the_session_answers_with_its_token_before_its_device_is_free(outcome):
    session = outcome["session"]
    assert session["http_status"] == 200
    assert session["running_s"] <= session["answer_s"] <= session["device_s"]


def test_the_notebook_says_that_the_device_is_being_handed_over_and_then_computes(outcome):
    assert outcome["session"]["computed"] == "21"
    told = told_in_the_notebook(outcome["session"])
    assert "is being handed over by a batch job that is saving its state" in told[0]
    assert told[-1].endswith("is ready")


def test_a_simulated_device_says_so_in_the_notebook(outcome):
    if not outcome["simulated_devices"]:
        pytest.skip("every device of this machine's pool is real")
    assert "simulated" in told_in_the_notebook(outcome["session"])[-1]


def told_in_the_notebook(session):
    """Where JupyterLab took longer than the hand-over, its first cell computed at once and was told nothing."""
    if not session["told"] and session["answer_s"] - session["running_s"] > SAVE_SECONDS:
        pytest.skip(f"JupyterLab answered {session['answer_s']} s after the request: the device was there before it")
    return session["told"]


def test_the_session_displaces_exactly_the_job_on_its_device(outcome):
    for_session = [one for one in outcome["displacements"] if one["newcomer"] == outcome["session"]["job"]]
    assert [one["devices"] for one in for_session] == [outcome["session"]["devices"]]


def test_nobody_is_displaced_for_nobody(outcome):
    assert all(one["newcomer_class"] in ("interactive", "dask") for one in outcome["displacements"])


def test_who_was_displaced_resumed_from_its_checkpoint_and_lost_at_most_an_epoch(outcome):
    trainings = {training["job"]: training for training in outcome["trainings"]}
    for victim in (trainings[one["victim"]] for one in outcome["displacements"]):
        assert victim["resumed"] >= 1
        assert victim["lost_epochs"] <= 1


def test_who_was_not_displaced_ran_through(outcome):
    victims = {one["victim"] for one in outcome["displacements"]}
    assert all(training["resumed"] == 0 for training in outcome["trainings"] if training["job"] not in victims)


def test_the_dask_computation_on_its_workers_is_right(outcome):
    dask = outcome["dask"]
    assert dask["error"] <= dask["bound"]
    assert len(dask["blocks_by_worker"]) == dask["workers"]


def test_it_tells_the_administrator_who_used_what_and_how_to_go_on(played):
    for words in ("condor_userprio", "group_interactive.alpha", "group_batch.beta", "pool shell", "pool down"):
        assert words in played.stderr


def test_the_pool_stays_up_and_is_idle_again(played, pool_home):
    status = json.loads(mlinfn(pool_home, "status", "--json").stdout)
    assert {one["running"] + one["idle"] + one["held"] for one in status["classes"]} == {0}
