"""From HTCondor's events to who had what, waited how long, and lost what."""

import json
from dataclasses import replace

import pytest

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.simulation.expecting import fair
from mlinfn_condor.simulation.reckoning import HOUR, Played, reckon
from mlinfn_condor.simulation.trace import Job, Run, Trace
from mlinfn_condor.simulation.workload import Submit

BATCH = Submit(2, 0.0, "ann", "alpha", PriorityClass.BATCH, 1, "", 1, 4 * HOUR, 1, 0.0, None)
BETA = replace(BATCH, line=3, project="beta", who="bob")
SESSION = replace(BATCH, line=4, project="beta", who="bob", priority_class=PriorityClass.INTERACTIVE)


def hours(start: float, end: float | None, outcome: str = "completed", device: str = "a") -> Run:
    return Run(start * HOUR, None if end is None else end * HOUR, (device,), outcome)


def played(submit: Submit, *runs: Run, at: float = 0.0, over: bool = True, kept: tuple[float, ...] = ()) -> Played:
    saved = tuple((run.end or 0.0, work * HOUR) for run, work in zip(runs, kept, strict=False))
    return Played(submit, Job(submit.line, 0, at * HOUR, runs, over), saved)


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ({"a": 9, "b": 9}, {"a": 7.5, "b": 2.5}),  # the rest goes in proportion to the pledges
        ({"a": 9, "b": 9, "c": 9}, {"a": 7.5, "b": 2.5, "c": 0}),
        ({"b": 1, "c": 9, "d": 9}, {"b": 1, "c": 4.5, "d": 4.5}),
        ({"a": 1, "c": 2}, {"a": 1, "c": 2}),
    ],
)
def test_a_pledge_comes_first_and_the_rest_is_shared(demand, expected):
    assert fair(10, {"a": 6, "b": 2}, demand) == pytest.approx(expected)


def test_pledges_beyond_what_there_is_get_their_part():
    assert fair(4, {"a": 6, "b": 2}, {"a": 9, "b": 9}) == pytest.approx({"a": 3, "b": 1})


def test_shares_waits_evictions_and_losses():
    evicted = played(BATCH, hours(1, 3, "evicted"), hours(5, 8), kept=(1, 4))
    other = played(BETA, hours(3, 5), kept=(2,), at=1)
    waiting = played(BETA, over=False, at=6)
    outcome = reckon([evicted, other, waiting], 1, {"alpha": 1}, {"alpha": 30.0, "beta": 10.0}, 10 * HOUR)
    assert (outcome.claimed_h, outcome.kept_h, outcome.evictions, outcome.lost_h) == (7, 6, 1, 1)
    assert outcome.kept_percent == pytest.approx(100 * 6 / 7)
    assert outcome.contended_h == pytest.approx(4 + 2)  # 1 to 5, and 6 to 8
    alpha, beta = outcome.projects
    assert (alpha.device_h, alpha.kept_h, alpha.pledged_devices) == (5, 4, 1)
    assert (alpha.share_percent, alpha.expected_percent) == (pytest.approx(100 * 4 / 6), 100)
    assert (alpha.userprio_percent, beta.device_percent) == (75, pytest.approx(100 * 2 / 7))
    (batch,) = outcome.classes
    assert (batch.jobs, batch.started, batch.completed, batch.evictions, batch.lost_h) == (3, 2, 2, 1, 1)
    assert (batch.median_wait_s, batch.p95_wait_s, batch.worst_wait_s) == (1.5 * HOUR, 2 * HOUR, 2 * HOUR)
    assert batch.waits_still_s == 4 * HOUR
    assert sum(part.get("alpha", 0) for part in outcome.course) * 10 / len(outcome.course) == pytest.approx(5)


def test_a_devices_second_counts_once_for_who_was_there_first():
    victim = played(BATCH, hours(0, 2, "evicted"), kept=(2,), over=False)
    session = played(SESSION, hours(1, 5), kept=(3,), at=1)
    outcome = reckon([victim, session], 1, {}, {}, 5 * HOUR)
    assert [one.device_h for one in outcome.projects] == [2, 3]
    assert outcome.kept_percent == 100


def test_what_still_runs_has_lost_nothing_and_nothing_counts_beyond_the_end():
    outcome = reckon([played(BATCH, hours(1, None, "running"), over=False)], 1, {}, {}, 4 * HOUR)
    assert (outcome.claimed_h, outcome.kept_h) == (3, 3)
    outcome = reckon([played(BATCH, hours(1, 9), kept=(8,)), played(BETA, hours(5, 6), kept=(1,))], 1, {}, {}, 4 * HOUR)
    assert (outcome.claimed_h, outcome.kept_h) == (3, 3)


def event(trigger: str, second: int, row: int = 7, **more: object) -> str:
    told = {"MyType": "JobAdInformationEvent", "TriggerEventTypeName": trigger, "Cluster": 1, "Proc": 0}
    told |= {"EventTime": f"2026-01-05T10:00:{second:02}.250", "MlinfnRow": row, "PriorityClass": "batch", **more}
    return json.dumps(told, indent=1) + "\n"


def test_the_event_log_is_read_as_it_grows():
    text = (
        event("ULOG_SUBMIT", 0)
        + event("ULOG_SUBMIT", 1, row=8, PriorityClass="interactive")
        + json.dumps({"MyType": "ExecuteEvent", "Cluster": 1})
        + event("ULOG_EXECUTE", 2, AssignedGPUs="GPU-a, GPU-b")
        + event("ULOG_EXECUTE", 3, row=8, PriorityClass="interactive", AssignedFPGAs="FPGA-a")
        + event("ULOG_JOB_EVICTED", 4)
        + event("ULOG_EXECUTE", 6, AssignedGPUs="GPU-a")
        + event("ULOG_JOB_TERMINATED", 9)
        + event("ULOG_JOB_HELD", 9, row=8, PriorityClass="interactive", HoldReason="too long")
    )
    trace = Trace()
    for place in range(0, len(text), 37):
        trace.take(text[place : place + 37])
    job, session = trace.jobs[("batch@", 1, 0)], trace.jobs[("interactive@", 1, 0)]
    start = job.submitted
    assert [(run.start - start, run.end - start, run.outcome) for run in job.runs] == [
        (2, 4, "evicted"),
        (6, 9, "completed"),
    ]
    assert (job.row, job.runs[0].devices, session.runs[0].devices) == (7, ("GPU-a", "GPU-b"), ("FPGA-a",))
    assert (trace.over, session.held) == (2, "too long")
