"""Trains in processes that are killed at random, one after another; told as JSON. `python killing.py FOLDER KILLS SEED`

A program of its own and not a part of the test: each training is a fork of it, which costs a thousandth of a start, and
only a process with a single thread may be forked without fear. Half of them are killed by themselves at a random thing
that they do to a file or a folder, the other half by their parent after a random time.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from mlinfn_condor.training import digits
from mlinfn_condor.training.checkpointing import Checkpoint
from mlinfn_condor.training.digits import Furthest, Plan, train
from mlinfn_condor.training.perceptron import Samples, unpack
from mlinfn_condor.training.vacating import leaving

BATCHES_PER_EPOCH = 3
EPOCHS_PER_KILL = 4
LONGEST_LIFE_S = 0.02
MOST_STEPS = 60


def samples(seed: int) -> Samples:
    drawn = np.random.default_rng(seed)
    return Samples(drawn.random((128 * BATCHES_PER_EPOCH, 64)), drawn.integers(0, 10, 128 * BATCHES_PER_EPOCH))


def life(plan: Plan, steps_to_live: int | None) -> int:
    """The process of a training, which may have ended when this returns."""
    if child := os.fork():
        return child
    left = steps_to_live or 0

    def die_at_one_step(event: str, _arguments: object) -> None:
        nonlocal left
        if event.startswith(("os.", "open", "tempfile.")):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(die_at_one_step)
        with leaving() as window:
            train(plan, window)
        os._exit(0)
    finally:
        os._exit(1)


def lost(plan: Plan) -> int:
    """Batches that were computed and are in no checkpoint."""
    state = Checkpoint(plan.folder).load()
    return Furthest(plan.folder).read() - (unpack(state).batches if state else 0)


def main(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    epochs = EPOCHS_PER_KILL * kills
    tables = samples(1), samples(2)
    digits.digits = lambda: tables
    plan = Plan(folder / "disturbed", epochs, 0, seed=1)
    killed, finished_early, worst = 0, 0, 0
    while killed < kills:
        by_itself = chance.random() < 0.5
        child = life(plan, chance.randint(1, MOST_STEPS) if by_itself else None)
        if not by_itself:
            time.sleep(chance.random() * LONGEST_LIFE_S)
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            killed += 1
            worst = max(worst, lost(plan))
        elif os.WEXITSTATUS(status) == 0:
            finished_early += 1
            break
        else:
            sys.exit("a training failed by itself")
    with leaving() as window:
        disturbed = train(plan, window)
        undisturbed = train(Plan(folder / "undisturbed", epochs, 0, seed=1), window)
    pairs = zip(disturbed.weights + disturbed.momentum, undisturbed.weights + undisturbed.momentum, strict=True)
    told = {
        "killed": killed,
        "finished_early": finished_early,
        "worst_lost_batches": worst,
        "lost_batches": disturbed.lost_batches,
        "batches": disturbed.batches,
        "same": disturbed.batches == undisturbed.batches and all(np.array_equal(one, other) for one, other in pairs),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
