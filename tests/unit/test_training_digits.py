"""The shipped training: real data, and the same network at the end however often it was displaced or killed."""

import json
import os
import random
import re
import signal
import sys

import numpy as np
import pytest
from line_by_line import line_by_line

from mlinfn_condor.errors import UserError
from mlinfn_condor.training.checkpointing import Checkpoint
from mlinfn_condor.training.digits import Plan, digits, main, train
from mlinfn_condor.training.perceptron import accuracy, train_batch, unpack, untrained
from mlinfn_condor.training.vacating import LEFT_EARLY, leaving

EPOCHS = 20
LAST_DISTURBED = 10


def run(folder, *, until=None, kill=None):
    """Run the training, and when it tells of the epoch `until`, or a later one, send it `kill`; its exit status."""
    command = [sys.executable, "-m", "mlinfn_condor.training.digits", "--folder", folder, "--epochs", str(EPOCHS)]
    # Slow enough that the signal arrives in the middle of an epoch.
    pace = ["--epoch-seconds", "0.1"] if until else []
    with line_by_line([*command, *pace]) as (process, told):
        for line in told:
            if until and (epoch := re.search(r"epoch (\d+) of", line)) and int(epoch[1]) >= until:
                process.send_signal(kill)
                break
        told.read()
    return process.returncode


def network(folder):
    return unpack(Checkpoint(folder).load())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert run(folder) == 0
    return folder


def same_network(one, other):
    pairs = zip(one.weights + one.momentum, other.weights + other.momentum, strict=True)
    return one.batches == other.batches and all(np.array_equal(a, b) for a, b in pairs)


def test_it_learns(undisturbed):
    result = json.loads((undisturbed / "result.json").read_text())
    assert result["accuracy"] > 0.93
    assert {name: result[name] for name in ("epochs", "resumed", "lost_epochs")} == {
        "epochs": EPOCHS,
        "resumed": 0,
        "lost_epochs": 0,
    }


def test_the_test_digits_are_not_trained_on():
    training, test = digits()
    assert len(training.classes) + len(test.classes) == 1797
    assert set(test.classes) == set(range(10))


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_epochs_it_ends_as_if_undisturbed(tmp_path, undisturbed, seed):
    epochs = sorted(random.Random(seed).sample(range(1, LAST_DISTURBED), 3))
    for epoch in epochs:
        assert run(tmp_path, until=epoch, kill=signal.SIGKILL) == -signal.SIGKILL
    assert run(tmp_path) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert same_network(network(tmp_path), network(undisturbed))
    assert result["accuracy"] == json.loads((undisturbed / "result.json").read_text())["accuracy"]
    assert result["resumed"] == 3
    assert result["lost_epochs"] <= 3, "at most the time since the last checkpoint, each time"


def test_displaced_with_a_window_it_loses_nothing(tmp_path, undisturbed):
    for epoch in (3, 7, LAST_DISTURBED):
        assert run(tmp_path, until=epoch, kill=signal.SIGTERM) == LEFT_EARLY
    assert run(tmp_path) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert same_network(network(tmp_path), network(undisturbed))
    assert (result["resumed"], result["lost_epochs"]) == (3, 0)


def test_a_displaced_training_has_no_result_yet(tmp_path):
    assert run(tmp_path, until=1, kill=signal.SIGTERM) == LEFT_EARLY
    assert not (tmp_path / "result.json").exists()


def test_what_a_death_costs_is_counted_in_batches(tmp_path, undisturbed):
    """A run that died 5 batches after its checkpoint, shown by what it left behind."""
    (tmp_path / "furthest-batch").write_bytes((5).to_bytes(8, "little"))
    with leaving() as window:
        progress = train(Plan(tmp_path, EPOCHS, 0, seed=1), window)
    assert (progress.resumed, progress.lost_batches) == (1, 5)
    assert same_network(progress, network(undisturbed))


def test_a_window_that_opens_after_the_last_batch_does_not_undo_the_result(tmp_path):
    with leaving() as window:
        plan = Plan(tmp_path, 1, 0, seed=1)
        train(plan, window)
        os.kill(os.getpid(), signal.SIGTERM)
        train(plan, window)
    assert (tmp_path / "result.json").exists()


def test_a_folder_with_another_training_is_refused(tmp_path):
    with leaving() as window:
        train(Plan(tmp_path, 1, 0, seed=1), window)
        with pytest.raises(UserError, match="seed 1"):
            train(Plan(tmp_path, 1, 0, seed=2), window)


def test_an_error_is_one_line(tmp_path):
    (tmp_path / "checkpoint-000000001").write_bytes(b"torn")
    with pytest.raises(SystemExit, match="digits: none of the 1 checkpoints"):
        main(["--folder", str(tmp_path), "--epochs", "1"])


def test_a_packed_progress_is_the_same_to_the_last_bit():
    training, _ = digits()
    progress = train_batch(untrained(64, 10, seed=3), training)
    assert same_network(unpack(progress.pack()), progress)
    assert unpack(progress.pack()).seed == 3


def test_training_follows_the_gradient():
    training, test = digits()
    progress = untrained(64, 10, seed=3)
    before = accuracy(progress, test)
    for _ in range(3 * training.batches_per_epoch):
        progress = train_batch(progress, training)
    assert before < 0.3 < 0.8 < accuracy(progress, test)
