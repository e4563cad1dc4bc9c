"""First step: points to learn from, and others to judge by."""

import json
import random
from pathlib import Path

points = [(x, 3 * x - 1 + random.Random(x).gauss(0, 0.1)) for x in (n / 500 for n in range(500))]
Path("points.json").write_text(json.dumps({"training": points[::2], "test": points[1::2]}))
