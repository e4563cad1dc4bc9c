"""Case `crowd`: 40 people click within 5 s, and batch has every device."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from mlinfn_condor.bench.figures import Case, Measured, Target, starts
from mlinfn_condor.bench.spawn_stand import LOOK_SECONDS, HubStand, Plan
from mlinfn_condor.bench.spawn_visitor import Failed, Visitor
from mlinfn_condor.embedded.report import Step
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device

NAME = "crowd"
PEOPLE = 40
TARGET: Target = {"worst_s": ("<=", 15), "failed": ("<=", 0), "devices": (">=", PEOPLE)}
CLICKS_SECONDS = 5
"""From the first click to the last."""
TOLD_SECONDS = 30
MODEL = "A100"
GIB = 1024
NODE = Node(
    name="large",
    cpus=256,
    memory_mb=1024 * GIB,
    devices=tuple(
        Device("GPUs", f"GPU-large-{MODEL}-{n}", MODEL, f"Simulated {MODEL}", 40 * GIB, simulated=True)
        for n in range(PEOPLE)
    ),
    stands_for="a large site's GPUs, simulated",
)
PLAN = Plan(people=PEOPLE, nodes=(NODE,), batch=PEOPLE, stand_in=True)
OPTIONS = {"kind": "gpu", "model": MODEL, "count": 1, "cpus": 1, "memory_mb": 512}


def moments(people: int, seconds: float) -> list[float]:
    """When each clicks, in seconds after the first: evenly, the last at the end."""
    return [place * seconds / max(1, people - 1) for place in range(people)]


def measure(stand: HubStand, repeats: int) -> Measured:
    """The crowd comes `repeats` times. Whoever gets no session counts in `failed`, and with no time."""
    passwords = stand.hub.passwords
    seconds: list[float] = []
    failures: list[str] = []
    devices: list[int] = []
    with stand.report.step(f"{NAME}: {PEOPLE} people sign in", PEOPLE) as step:
        visitors = [_signed_in(stand, name, passwords[name], step) for name in stand.plan.names]
    with stand.report.step(f"{NAME}: they click, {repeats} times", repeats) as step:
        for _ in range(repeats):
            stand.wait_until_full()
            _come(visitors, seconds, failures)
            devices.append(_devices_held(stand))
            with ThreadPoolExecutor(8) as several:
                list(several.map(_leave, visitors))
            step.advance(1)
    measured = starts("start_s", seconds, failures)
    # Of the worst crowd: how many different devices its sessions held, by the slots' own word.
    return replace(measured, figures={**measured.figures, "devices": min(devices)})


def case(ours: Measured) -> Case:
    """The case, with its target."""
    return Case(NAME, ours, TARGET)


def _devices_held(stand: HubStand) -> int:
    """How many different devices sessions hold; the collector hears of the last slots seconds after their page."""
    deadline = time.monotonic() + TOLD_SECONDS
    while (held := len(stand.devices_of_sessions())) < PEOPLE and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return held


def _signed_in(stand: HubStand, name: str, password: str, step: Step) -> Visitor:
    visitor = Visitor(stand.hub.url, name, password)
    step.advance(1)
    return visitor


def _come(visitors: list[Visitor], seconds: list[float], failures: list[str]) -> None:
    began, lock = time.monotonic(), threading.Lock()

    def click(visitor: Visitor, moment: float) -> None:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        try:
            took = visitor.start(OPTIONS)
        except (Failed, OSError) as error:
            with lock:
                failures.append(str(error))
        else:
            with lock:
                seconds.append(took)

    with ThreadPoolExecutor(len(visitors)) as crowd:
        list(crowd.map(click, visitors, moments(len(visitors), CLICKS_SECONDS)))


def _leave(visitor: Visitor) -> None:
    try:
        visitor.stop()
    except (Failed, OSError):
        return  # it never had a session, and is counted already; a session that stays keeps the pool from being full
