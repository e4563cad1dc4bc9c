"""Batch training on every GPU: submitted, followed, and read at the end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.demo.outcome import TrainingOutcome
from mlinfn_condor.demo.terminal import Terminal
from mlinfn_condor.pool import JobId

EPOCHS = 24
EPOCH_SECONDS = 3
"""24 × 3 s: long enough that all still run when Dask comes, short enough for somebody who watches."""
SAVE_SECONDS = 6
"""Of the last save of a displaced training: long enough that the hand-over can be seen."""

RESUMES = "resumes after"


@dataclass(frozen=True)
class Training:
    """One training, in a folder of its own in its user's home."""

    job: JobId
    user: str
    folder: Path

    @property
    def saved(self) -> bool:
        """Whether it has a checkpoint to go on from."""
        return any(self.folder.glob("checkpoint-*"))

    @property
    def finished(self) -> bool:
        """Whether it has written its result."""
        return (self.folder / "result.json").exists()

    @property
    def resumption(self) -> str | None:
        """What it last said about going on from a checkpoint: `resumes after 3.17 of 24 epochs, 0.00 lost`."""
        log = self.folder / "progress.log"
        lines = log.read_text().splitlines() if log.exists() else []
        said = [line[line.index(RESUMES) :] for line in lines if RESUMES in line]
        return said[-1] if said else None

    def outcome(self) -> TrainingOutcome:
        """Its result, as the training itself tells it."""
        told = json.loads((self.folder / "result.json").read_text())
        return TrainingOutcome(str(self.job), self.user, told["accuracy"], told["resumed"], told["lost_epochs"])


def submit(users: Sequence[Terminal], count: int) -> list[Training]:
    """So many trainings of one GPU each, by the users in turn."""
    return [_submit_one(user, number) for number, user in enumerate(islice(cycle(users), count), start=1)]


def _submit_one(user: Terminal, number: int) -> Training:
    folder = user.folder / f"training-{number:02d}"
    folder.mkdir(parents=True)
    command = (
        f"python -m mlinfn_condor.training.digits --folder {folder} --seed {number} --epochs {EPOCHS}"
        f" --epoch-seconds {EPOCH_SECONDS} --save-seconds {SAVE_SECONDS}"
    )
    job = user.submit("training", PriorityClass.BATCH, command=command, gpus=1, folder=folder)
    return Training(job, user.user, folder)
