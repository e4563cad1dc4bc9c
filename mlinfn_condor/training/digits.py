"""A real training to be displaced: handwritten digits, learned by a small network, in checkpoints.

`python -m mlinfn_condor.training.digits --folder FOLDER` ends with exactly the same network however often it was
displaced or killed on the way. It takes 40 MB, and a few milliseconds an epoch; `--epoch-seconds` and `--save-seconds`
let an epoch, and the last save of a displaced run, last longer by waiting: they stand for bigger networks.
"""

import argparse
import gzip
import importlib.util
import json
import logging
import os
import struct
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

# One thread each: these networks are too small to share, and sixteen trainings may run on one machine. Before numpy.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from mlinfn_condor.errors import MlinfnError, UserError  # noqa: E402
from mlinfn_condor.training.checkpointing import Checkpoint  # noqa: E402
from mlinfn_condor.training.perceptron import (  # noqa: E402
    Progress,
    Samples,
    accuracy,
    train_batch,
    unpack,
    untrained,
)
from mlinfn_condor.training.vacating import Window, leaving  # noqa: E402

TEST_SHARE = 5
"""One sample in so many is kept for the test, and never trained on."""

CLASSES = 10

_log = logging.getLogger("digits")


def digits() -> tuple[Samples, Samples]:
    """The 1,797 digits that scikit-learn ships, for training and for the test.

    Read from its data file: importing scikit-learn costs 100 MB and seconds, and none of its code is needed.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise UserError("the digits come with scikit-learn, not installed here: pip install 'mlinfn-condor[training]'")
    with gzip.open(Path(package.origin).parent / "datasets/data/digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    inputs, classes = table[:, :-1] / 16, table[:, -1].astype(np.int64)
    tested = np.arange(len(classes)) % TEST_SHARE == 0
    return Samples(inputs[~tested], classes[~tested]), Samples(inputs[tested], classes[tested])


class Furthest:
    """How many batches any run of this training has computed; kept beside the checkpoints, and outlives SIGKILL.

    Only by it can a resumed run tell what the death of the one before it has cost. It is never synced to disk.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(folder / "furthest-batch", os.O_RDWR | os.O_CREAT, 0o600)

    def read(self) -> int:
        """0 before the first batch."""
        content = os.pread(self._handle, 8, 0)
        return int(struct.unpack("<q", content)[0]) if len(content) == 8 else 0

    def write(self, batches: int) -> None:
        """One write of eight bytes: no kill leaves half of it."""
        os.pwrite(self._handle, struct.pack("<q", batches), 0)


@dataclass(frozen=True)
class Plan:
    """What to train, as the command line says."""

    folder: Path
    epochs: int
    epoch_seconds: float
    seed: int
    save_seconds: float = 0.0
    """Waiting before the save of a displaced run; past the checkpoint window the run is killed and saves nothing."""


def train(plan: Plan, window: Window) -> Progress:
    """Train to the end, from the last checkpoint if there is one. Leaves with LEFT_EARLY when the window opens."""
    training, test = digits()
    checkpoint, furthest = Checkpoint(plan.folder), Furthest(plan.folder)
    progress = _begin(plan, training, checkpoint, furthest)
    per_epoch = training.batches_per_epoch
    while progress.batches < plan.epochs * per_epoch:
        progress = train_batch(progress, training)
        furthest.write(progress.batches)
        if progress.batches % per_epoch == 0:
            checkpoint.save(progress.pack())
            done = progress.batches // per_epoch
            _log.info("epoch %d of %d, accuracy %.4f", done, plan.epochs, accuracy(progress, test))
        if window.wait(plan.epoch_seconds / per_epoch) and progress.batches < plan.epochs * per_epoch:
            time.sleep(plan.save_seconds)
            checkpoint.save(progress.pack())
            _log.info("displaced: saved after %.2f epochs", progress.batches / per_epoch)
            window.leave()
    result = {
        "accuracy": accuracy(progress, test),
        "epochs": plan.epochs,
        "resumed": progress.resumed,
        "lost_epochs": progress.lost_batches / per_epoch,
    }
    _write(plan.folder / "result.json", json.dumps(result) + "\n")
    _log.info("finished: %s", json.dumps(result))
    return progress


def _begin(plan: Plan, training: Samples, checkpoint: Checkpoint, furthest: Furthest) -> Progress:
    """The untrained network, or what the last run saved; what was computed after that counts as lost."""
    per_epoch = training.batches_per_epoch
    state = checkpoint.load()
    progress = unpack(state) if state is not None else untrained(training.inputs.shape[1], CLASSES, plan.seed)
    if state is None and furthest.read() == 0:
        _log.info("starts, %d epochs to do", plan.epochs)
        return progress
    if progress.seed != plan.seed:
        raise UserError(f"{plan.folder} holds a training with seed {progress.seed}: give that seed or another folder")
    lost = max(0, furthest.read() - progress.batches)
    progress = replace(progress, resumed=progress.resumed + 1, lost_batches=progress.lost_batches + lost)
    _log.info("resumes after %.2f of %d epochs, %.2f lost", progress.batches / per_epoch, plan.epochs, lost / per_epoch)
    # At once, or the next death would forget what this one has cost.
    checkpoint.save(progress.pack())
    return progress


def _log_to(folder: Path) -> None:
    """To the output and to `progress.log`: HTCondor empties a job's output file each time the job starts again."""
    folder.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.StreamHandler(sys.stdout),
        logging.FileHandler(folder / "progress.log"),
    ]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    temporary.rename(path)


def main(arguments: list[str] | None = None) -> None:
    """Command line; exits with 85 when displaced, 1 on an error that a person can act on."""
    parser = argparse.ArgumentParser(prog="python -m mlinfn_condor.training.digits", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="keeps the checkpoints; one per training")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--epoch-seconds", type=float, default=0.0, help="waiting that stands for longer epochs")
    parser.add_argument(
        "--save-seconds", type=float, default=0.0, help="waiting that stands for a bigger state to save"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with leaving() as window:
        try:
            _log_to(given.folder)
            train(Plan(given.folder, given.epochs, given.epoch_seconds, given.seed, given.save_seconds), window)
        except MlinfnError as error:
            sys.exit(f"digits: {error}")
        except OSError as error:
            sys.exit(f"digits: {given.folder}: {error.strerror}")


if __name__ == "__main__":
    main()
