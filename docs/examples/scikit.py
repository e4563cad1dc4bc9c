"""A training with scikit-learn: handwritten digits, epoch by epoch with `partial_fit`, in checkpoints."""

import argparse
import pickle
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

from mlinfn_condor.training.resuming import resumable

parser = argparse.ArgumentParser()
parser.add_argument("--folder", type=Path, default=Path("checkpoints"))
parser.add_argument("--epochs", type=int, default=200)
given = parser.parse_args()

inputs, classes = load_digits(return_X_y=True)
inputs = inputs / 16

with resumable(given.folder) as training:
    # A pickle runs what is in it: load only what you have saved yourself.
    epoch, model = pickle.loads(training.state) if training.state else (0, SGDClassifier(random_state=1))
    while epoch < given.epochs:
        order = np.random.default_rng(epoch).permutation(len(classes))
        model.partial_fit(inputs[order], classes[order], classes=np.arange(10))
        epoch += 1
        print(f"epoch {epoch} of {given.epochs}", flush=True)
        training.keep(lambda state=(epoch, model): pickle.dumps(state))

print(f"result: accuracy {model.score(inputs, classes)!r}, weights add up to {model.coef_.sum()!r}")
