"""Case `burst`: as many users as the pool has GPUs click at the same moment, each for a model of his own."""

import time

from mlinfn_condor.bench.figures import Beside, Case, Measured, Target, distribution
from mlinfn_condor.bench.journal import name_of
from mlinfn_condor.bench.single import RUN_SECONDS, WINDOW_SECONDS
from mlinfn_condor.bench.stand import GPUS, USERS, Stand
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.report import Report

NAME = "burst"
TARGET: Target = {"worst_s": ("<=", 4), "wrong_model": ("<=", 0)}
LEAD_SECONDS = 0.5
"""Between telling the clients and their common moment: all are waiting when it comes."""


def measure(stand: Stand, bursts: int, report: Report, period_seconds: float, bound_seconds: float) -> Measured:
    """Bursts one after another, each on a pool that is full again, spread over a period as in `single`."""
    stand.leave.write_text(f"{WINDOW_SECONDS}\n")
    seconds: list[float] = []
    wrong = unserved = 0
    with report.step(f"{NAME}: {len(GPUS)} users at once, {bursts} times", bursts) as step:
        for place in range(bursts):
            stand.wait_for_phase(place, bursts, period_seconds)
            asked = dict(zip(USERS, GPUS.values(), strict=False))
            moment = time.time() + LEAD_SECONDS
            for user, model in asked.items():
                stand.clients[user].not_before(moment)
                stand.submit(user, PriorityClass.INTERACTIVE, RUN_SECONDS, model)
            submitted = {user: stand.clients[user].finish() for user in asked}
            names = {user: name_of(answer.result, PriorityClass.INTERACTIVE) for user, answer in submitted.items()}
            started = stand.journal.wait_for(names.values(), "started", bound_seconds)
            for user, model in asked.items():
                event = started.get(names[user])
                seconds.append(event.when - submitted[user].began if event else bound_seconds)
                unserved += event is None
                wrong += event is not None and [GPUS[device] for device in event.devices] != [model]
            stand.see_off({names[user]: (user, submitted[user].result) for user in asked}, started)
            step.advance(1)
    figures = distribution(seconds) | {"bursts": bursts, "wrong_model": wrong, "unserved": unserved}
    return Measured(figures, {"start_s": [round(value, 4) for value in seconds]})


def case(ours: Measured, beside: Beside | None) -> Case:
    """The case, with its target."""
    return Case(NAME, ours, TARGET, beside)
