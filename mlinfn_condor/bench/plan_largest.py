"""Case `largest` of the bench `plan`: one plan for a very long queue, and how its time grows with the size.

Run as a program it measures one size in a process of its own, so that its memory is that of this size alone.
"""

import gc
import json
import math
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from mlinfn_condor.bench.figures import Case, Measured, Target
from mlinfn_condor.bench.made_up import MadeUpNode, Work, portions
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.pool import Job, Slot
from mlinfn_condor.provisioning.demand import needs
from mlinfn_condor.provisioning.nodes import Glidein, Phase
from mlinfn_condor.provisioning.plan import plan
from mlinfn_condor.provisioning.settings import Settings
from mlinfn_condor.provisioning.snapshot import Snapshot

NAME = "largest"
JOBS, SHAPES, SLOTS, PODS = 100_000, 500, 5_000, 2_000
"""Of the largest size: half of the pods have joined, with some five slots each; the others are starting."""
SCALES = (1 / 8, 1 / 4, 1 / 2, 1)
REPEATS, QUICK_REPEATS = 7, 3
TARGET: Target = {
    "idle_jobs": (">=", JOBS),
    "shapes": (">=", SHAPES),
    "slots": (">=", SLOTS),
    "pods": (">=", PODS),
    "median_s": ("<=", 1),
    "rss_mb": ("<=", 500),
    "growth_exponent": ("<=", 1.1),
}
NOW = 1_800_000_000
_MODELS = ("T4", "A30", "A100", "RTX5000")
_SEED = 5


def measure(report: Report, *, quick: bool) -> Case:
    """All sizes, each in a process of its own."""
    told = []
    for scale in SCALES:
        with report.step(f"{NAME}: {round(JOBS * scale):,} idle jobs"):
            told.append(_apart(scale, QUICK_REPEATS if quick else REPEATS))
    largest = told[-1]
    # Of the time that the process computed: what else the machine does in between is not for a plan to answer for.
    computed = [median(one["cpu"]) for one in told]
    figures = {
        **{name: largest[name] for name in ("idle_jobs", "shapes", "slots", "pods", "new_pods", "rss_mb")},
        "median_s": round(median(largest["seconds"]), 3),
        "worst_s": round(max(largest["seconds"]), 3),
        "cpu_median_s": round(computed[-1], 3),
        "grouping_median_s": round(median(largest["grouping"]), 3),
        "growth_exponent": round(slope([one["idle_jobs"] for one in told], computed), 2),
    }
    samples = {f"seconds_{one['idle_jobs']}_jobs": one["seconds"] for one in told}
    return Case(NAME, Measured(figures, samples), TARGET)


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Exponent of the growth: least squares through the logarithms. 1 is linear."""
    points = [(math.log(size), math.log(time)) for size, time in zip(sizes, seconds, strict=True)]
    middle = [sum(axis) / len(points) for axis in zip(*points, strict=True)]
    above = sum((x - middle[0]) * (y - middle[1]) for x, y in points)
    return float(above / sum((x - middle[0]) ** 2 for x, _ in points))


def _apart(scale: float, repeats: int) -> dict[str, Any]:
    command = [sys.executable, "-m", __name__, str(scale), str(repeats)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(told.stdout)
    return measured


def made_up(scale: float) -> tuple[list[Job], list[Slot], list[Glidein], Settings]:
    """A queue and a pool of `scale` times the largest size."""
    chance = random.Random(_SEED)  # noqa: S311 - nothing to keep secret
    pods = round(PODS * scale)
    kinds = {
        model.lower(): {
            "cpus": 16,
            "memory_mb": 64_000,
            "device_kind": "gpu",
            "model": model,
            "devices": 1 + place % 2,
            "pledged": place < 2,
            "owner_project": "project1" if place == 1 else "",
            "most": pods,
        }
        for place, model in enumerate(_MODELS)
    } | {"cpu": {"cpus": 64, "memory_mb": 256_000, "most": pods}}
    settings = Settings.model_validate({"kinds": kinds, "limits": {"starts": pods, "glideins": round(pods * 1.2)}})
    shapes = [_shape(number, chance) for number in range(round(SHAPES * scale))]
    jobs = [
        Work(number, **shapes[chance.randrange(len(shapes))], since=NOW - chance.randrange(100_000)).job()
        for number in range(round(JOBS * scale))
    ]
    slots: list[Slot] = []
    glideins = []
    shared, named = portions(), list(settings.node_kinds)
    for number in range(pods):
        kind = named[number % len(named)]
        here = number % 2 == 0
        phase = Phase.RUNNING if here else Phase.ASKED
        name = f"{kind.name}-{number}"
        glideins.append(Glidein(name, kind.name, phase, NOW - 1000, uid=f"uid-{name}", running_since=NOW - 900))
        if here:
            node = MadeUpNode(name, kind, shared)
            node.start(
                Work(JOBS + number, PriorityClass.BATCH, "alpha", 1, 1024 * (1 + number % 4), kind.devices and 1)
            )
            if kind.devices and number % 4 == 0:
                node.start(Work(2 * JOBS + number, PriorityClass.BATCH, "alpha", 1, 1024))
            slots += node.slots()
    return jobs, slots, glideins, settings


def _shape(number: int, chance: random.Random) -> dict[str, Any]:
    devices = chance.choice((0, 0, 1, 1, 1, 2))
    return {
        "priority_class": chance.choices(list(PriorityClass), (1, 2, 7))[0],
        "project": f"project{chance.randrange(12)}",
        "cpus": 1 + number // 97,
        "memory_mb": 1024 + 128 * (number % 97),
        "devices": devices,
        "model": chance.choice(("", *_MODELS)) if devices else "",
    }


def _one(scale: float, repeats: int) -> dict[str, Any]:
    jobs, slots, glideins, settings = made_up(scale)
    shared = portions()
    seconds, grouping, cpu = [], [], []
    for _ in range(repeats):
        gc.collect()
        began, cpu_began = time.perf_counter(), time.process_time()
        found = tuple(needs(jobs))
        grouped = time.perf_counter()
        decided = plan(Snapshot(found, tuple(slots), tuple(glideins), NOW), settings, shared)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - cpu_began)
        grouping.append(grouped - began)
    return {
        "idle_jobs": len(jobs),
        "shapes": len(found),
        "slots": len(slots),
        "pods": len(glideins),
        "new_pods": len(decided.actions),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "seconds": seconds,
        "grouping": grouping,
        "cpu": cpu,
    }


if __name__ == "__main__":
    print(json.dumps(_one(float(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201 - it is what the bench reads
