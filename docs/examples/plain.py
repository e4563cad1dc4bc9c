"""A training in plain Python: a line through made-up points, by gradient descent, in checkpoints.

mlinfn submit training --watch -- python plain.py --folder checkpoints --epochs 200
"""

import argparse
import json
import random
from pathlib import Path

from mlinfn_condor.training.resuming import resumable

parser = argparse.ArgumentParser()
parser.add_argument("--folder", type=Path, default=Path("checkpoints"))
parser.add_argument("--epochs", type=int, default=200)
parser.add_argument("--stint", type=float, help="seconds after which it leaves, for checkpoint_exit_code")
given = parser.parse_args()

points = [(x, 3 * x - 1 + random.Random(x).gauss(0, 0.1)) for x in (n / 500 for n in range(500))]

with resumable(given.folder, stint_seconds=given.stint) as training:
    state = json.loads(training.state) if training.state else {"epoch": 0, "slope": 0.0, "offset": 0.0}
    while state["epoch"] < given.epochs:
        # A seed per epoch: no generator whose state would have to be saved.
        for x, y in random.Random(state["epoch"]).sample(points, len(points)):
            error = state["slope"] * x + state["offset"] - y
            state["slope"] -= 0.01 * error * x
            state["offset"] -= 0.01 * error
        state["epoch"] += 1
        print(f"epoch {state['epoch']} of {given.epochs}", flush=True)
        training.keep(lambda: json.dumps(state).encode())

print(f"result: y = {state['slope']!r} x + {state['offset']!r}")
