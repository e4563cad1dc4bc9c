"""Second step: a line through the points, in checkpoints; displaced, it goes on where it was."""

import json
from pathlib import Path

from mlinfn_condor.training.resuming import resumable

EPOCHS = 200
points = json.loads(Path("points.json").read_text())["training"]

with resumable(Path("checkpoints")) as training:
    epoch, slope, offset = json.loads(training.state) if training.state else (0, 0.0, 0.0)
    while epoch < EPOCHS:
        for x, y in points:
            error = slope * x + offset - y
            slope, offset = slope - 0.01 * error * x, offset - 0.01 * error
        epoch += 1
        print(f"epoch {epoch} of {EPOCHS}", flush=True)
        training.keep(lambda state=(epoch, slope, offset): json.dumps(state).encode())

Path("model.json").write_text(json.dumps({"slope": slope, "offset": offset}))
