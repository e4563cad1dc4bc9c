"""Case `single`: one session on a full pool, from just before the submit to the first line of the job."""

from itertools import cycle

from mlinfn_condor.bench.figures import Beside, Case, Measured, Target, distribution
from mlinfn_condor.bench.journal import name_of
from mlinfn_condor.bench.stand import GPUS, USERS, Stand
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.report import Report

NAME = "single"
TARGET: Target = {"median_s": ("<=", 0.4), "p95_s": ("<=", 2), "wrong_model": ("<=", 0)}
MODELS = ("T4", "RTX5000", "A30", "A100")
WINDOW_SECONDS = 3
"""What each victim takes to leave. The session's first line does not wait for it, the next repeat does."""
RUN_SECONDS = 0.5


def measure(stand: Stand, repeats: int, report: Report, period_seconds: float, bound_seconds: float) -> Measured:
    """Sessions of different users, one after another, each on a pool that is full again.

    The submits are spread over a period of the slowest daemon whose clock may matter.

    One that did not start within the bound counts as the bound, and in `unserved`.
    """
    stand.leave.write_text(f"{WINDOW_SECONDS}\n")
    seconds, wrong, unserved = [], 0, 0
    with report.step(f"{NAME}: {repeats} sessions, one at a time", repeats) as step:
        for user, model, place in zip(cycle(USERS), cycle(MODELS), range(repeats), strict=False):
            stand.wait_for_phase(place, repeats, period_seconds)
            stand.submit(user, PriorityClass.INTERACTIVE, RUN_SECONDS, model)
            submitted = stand.clients[user].finish()
            session = name_of(submitted.result, PriorityClass.INTERACTIVE)
            started = stand.journal.wait_for([session], "started", bound_seconds)
            event = started.get(session)
            seconds.append(event.when - submitted.began if event else bound_seconds)
            unserved += event is None
            wrong += event is not None and [GPUS[device] for device in event.devices] != [model]
            stand.see_off({session: (user, submitted.result)}, started)
            step.advance(1)
    figures = distribution(seconds) | {"wrong_model": wrong, "unserved": unserved, "idle_batch_jobs": stand.idle_jobs}
    return Measured(figures, {"start_s": [round(value, 4) for value in seconds]})


def case(ours: Measured, beside: Beside | None) -> Case:
    """The case, with its target."""
    return Case(NAME, ours, TARGET, beside)
