"""`python retrain.py --dsn DSN --model FOLDER`: learn from the rows of this run, and from each row once.

The model keeps with it up to where it has learned, in the same file. So a job that is displaced between saving and
ending, or fails after it has saved, learns nothing twice: the next one goes on from what the model says, not from what
the schedule believes.
"""

import argparse
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nature
import numpy as np
import psycopg

from mlinfn_condor.training.checkpointing import Checkpoint

RIDGE = 1.0
HELD_OUT, HELD_OUT_SEED = 2000, 999_983
SELECT = """
SELECT station, hour, pressure_hpa, humidity, becquerel_m3 FROM api.radon_reading
WHERE mlinfn_schedule.is_new(written_by, %s::pg_snapshot, %s::pg_snapshot)
"""

Model = dict[str, Any]


def load(folder: Path) -> Model:
    """The model: what it learned as sums, up to which snapshot, and how good it was after each run."""
    saved = Checkpoint(folder).load()
    if saved is None:
        size = nature.STATIONS * (3 + 2 * nature.HARMONICS)
        return {"squares": np.zeros((size, size)), "products": np.zeros(size), "until": "", "rows": [], "errors": []}
    with np.load(io.BytesIO(saved)) as file:
        found: Model = {name: file[name] for name in file.files}
    return found | {"until": str(found["until"]), "rows": list(found["rows"]), "errors": list(found["errors"])}


def save(folder: Path, model: Model) -> None:
    """All of it in one file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    np.savez(written, **model)
    Checkpoint(folder).save(written.getvalue())


def error(model: Model) -> float:
    """Root mean square error of the predicted logarithm, over readings that no run has seen."""
    seen = nature.measure(HELD_OUT, HELD_OUT_SEED)
    weights = np.linalg.solve(model["squares"] + RIDGE * np.eye(len(model["products"])), model["products"])
    told = nature.features(seen.station, seen.hour, seen.pressure_hpa, seen.humidity) @ weights
    return float(np.sqrt(np.mean((told - np.log(seen.becquerel_m3)) ** 2)))


def learn(dsn: str, folder: Path, since: str, until: str) -> Model:
    """Add the rows between two snapshots to the model, if it does not have them."""
    model = load(folder)
    if model["until"] == until:
        return model
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(SELECT, (model["until"] or since, until)).fetchall()
    station, *rest = (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.zeros(0, int)] * 5
    hour, pressure, humidity, becquerel = (column.astype(float) for column in rest)
    matrix = nature.features(station.astype(int), hour, pressure, humidity)
    model["squares"] = model["squares"] + matrix.T @ matrix
    model["products"] = model["products"] + matrix.T @ np.log(becquerel)
    model["until"] = until
    model["rows"] = [*model["rows"], (model["rows"][-1] if model["rows"] else 0) + len(rows)]
    model["errors"] = [*model["errors"], error(model)]
    save(folder, model)
    return model


def main(environment: Mapping[str, str] = os.environ) -> None:
    """One run of the schedule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--model", type=Path, required=True)
    asked = parser.parse_args()
    model = learn(asked.dsn, asked.model, environment["MLINFN_SINCE"], environment["MLINFN_UNTIL"])
    print(f"{environment['MLINFN_RUN']}: {model['rows'][-1]} rows, error {model['errors'][-1]:.4f}")  # noqa: T201


if __name__ == "__main__":
    main()
