"""Cases of the bench `sharing` that play a week: shares under contention, and how much of what was claimed was kept.

Who is promised what must show in what he had: `pledges` asks for more than there is of everybody who has one, `surplus`
leaves a pledge unused to others who have none.
"""

from mlinfn_condor.bench.figures import Measured, Target
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.settings import Contracts, parse
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.simulation.playing import Simulation, play
from mlinfn_condor.simulation.shipped import load
from mlinfn_condor.simulation.workload import Submit, Workload

PLEDGES, SURPLUS, WEEK = "pledges", "surplus", "week"
TARGETS: dict[str, Target] = {
    PLEDGES: {"worst_points": ("<=", 3)},
    SURPLUS: {"worst_points": ("<=", 5)},
    WEEK: {"kept_percent": (">=", 97)},
}
HOUR, DAY = 3600.0, 86400.0
SPAN, QUICK_SPAN = 7 * DAY, 1 * DAY
WEEK_SPEED, QUICK_SPEED = 1000.0, 4000.0
"""Jobs of 8 h last 29 s at the first: the two seconds until a free device has its next job are a small part of them."""
POOL = """
[pool]
projects = ["alpha", "beta", "gamma", "delta"]
[pool.nodes.server1]
gpus = { T4 = 8, RTX5000 = 5 }
[pool.nodes.server2]
gpus = { A30 = 1, A100 = 2 }
"""
PROMISED = {"alpha": 8, "beta": 5, "gamma": 3}
"""All of the pool."""
AWAY = "alpha"
"""Who leaves his pledge to the others."""
DURATIONS = {"alpha": (8,), "beta": (8,), "gamma": (6, 10), "delta": (4, 12)}
"""Hours; how long a project's jobs last must not give it more."""
JOBS = {"alpha": 260, "beta": 200, "gamma": 200, "delta": 200}
"""Enough for half of the pool's week each, or a third."""


def measure(case: str, report: Report, *, quick: bool) -> Measured:
    """One case. Raises what a simulation raises."""
    if case == WEEK:
        workload, contracts = load(WEEK)
        return _measured(play(workload, contracts, QUICK_SPEED if quick else WEEK_SPEED, report), {})
    workload, contracts, due = contest(case, QUICK_SPAN if quick else SPAN)
    return _measured(play(workload, contracts, QUICK_SPEED if quick else WEEK_SPEED, report), due)


def contest(case: str, span: float) -> tuple[Workload, Contracts, dict[str, float]]:
    """Workload, contracts, and what each project that takes part is due, per cent."""
    surplus = case == SURPLUS
    contracts = _contracts({AWAY: PROMISED[AWAY]} if surplus else PROMISED)
    parts = dict.fromkeys(sorted(set(JOBS) - {AWAY}), 1) if surplus else PROMISED
    due = {project: 100 * part / sum(parts.values()) for project, part in parts.items()}
    return _greedy(case, sorted(parts), span), contracts, due


def _contracts(pledges: dict[str, int]) -> Contracts:
    lines = "".join(f"{project} = {{ devices = {count} }}\n" for project, count in pledges.items())
    return parse(f"{POOL}\n[pledges.batch]\n{lines}", "bench")


def _greedy(name: str, projects: list[str], span: float) -> Workload:
    """From the beginning each project asks for more than it can get, by two people."""
    submits: list[Submit] = []
    for project in projects:
        for hours in DURATIONS[project]:
            for person in ("one", "two"):
                count = JOBS[project] // len(DURATIONS[project]) // 2
                line = len(submits) + 2
                job = (PriorityClass.BATCH, 1, "", 1, hours * HOUR, count, HOUR, 10.0)
                submits.append(Submit(line, 0.0, f"{project}-{person}", project, *job))
    return Workload(name, tuple(submits), end=span)


def _measured(simulation: Simulation, due: dict[str, float]) -> Measured:
    outcome = simulation.outcome
    shares = {one.project: one.share_percent or 0.0 for one in outcome.projects}
    figures = {
        "worst_points": max((abs(shares[project] - percent) for project, percent in due.items()), default=None),
        "kept_percent": outcome.kept_percent,
        "userprio_points": max(
            (abs((one.device_percent or 0.0) - (one.userprio_percent or 0.0)) for one in outcome.projects), default=None
        ),
        "claimed_h": outcome.claimed_h,
        "evictions": outcome.evictions,
        "jobs": simulation.workload.jobs,
        "speed": simulation.speed,
        "late_s": simulation.late_s,
    }
    samples = {f"share_percent_{project}": [round(shares[project], 2)] for project in due}
    told = {name: round(value, 2) for name, value in figures.items() if value is not None}
    return Measured(told, samples, simulation.remarks)
