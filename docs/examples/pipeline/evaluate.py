"""Third step: how far off the line is for points that it has not seen. Ends with 1 when that is too far."""

import json
import sys
from pathlib import Path

points = json.loads(Path("points.json").read_text())["test"]
model = json.loads(Path("model.json").read_text())
error = sum((model["slope"] * x + model["offset"] - y) ** 2 for x, y in points) / len(points)
Path("evaluation.json").write_text(json.dumps({"mean_squared_error": error}))
sys.exit(error > 0.1)
