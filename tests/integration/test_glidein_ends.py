"""Each way in which a glidein ends: what it says, what its jobs get, and that nothing is left."""

import os
import signal
import time

import pytest
from driver import wait_until
from glideins import GOODBYE_SECONDS, GRACE_SECONDS, Running, glidein, seconds_since

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.glidein import processes
from mlinfn_condor.glidein.outcome import Exit

BATCH = PriorityClass.BATCH
IDLE_SECONDS = 2


def training(one: Running, leave_seconds: float = 1, **lines: object):
    """A training that computes on the glidein."""
    payload = one.driver.submit(request_gpus=1, requirements=one.mine, leave_seconds=leave_seconds, **lines)[0]
    payload.wait_for("computing")
    return payload


def test_it_leaves_when_nobody_claimed_it_for_its_idle_time(bare):
    with glidein(bare, "idle", idle_seconds=IDLE_SECONDS) as one:
        one.joined()
        began = time.monotonic()
        assert one.ended() is Exit.IDLE
        assert seconds_since(began) < IDLE_SECONDS + 15
        assert one.words() == {"code": 0, "cause": "idle", "detail": "nobody claimed it for its idle time"}
        assert not one.slots()


def test_a_job_and_a_session_keep_it_and_their_end_lets_it_go(bare):
    with glidein(bare, "busy", idle_seconds=IDLE_SECONDS) as one:
        one.joined()
        here = {"request_gpus": 1, "requirements": one.mine}
        session = bare.submit(PriorityClass.INTERACTIVE, run_seconds=IDLE_SECONDS * 3, **here)[0]
        payload = training(one, run_seconds=1)
        payload.wait_for("finished")
        session.wait_for("finished")
        assert one.process.poll() is None
        assert one.ended() is Exit.IDLE


def test_a_warm_one_stays(bare):
    with glidein(bare, "warm", idle_seconds=1, warm="true") as one:
        one.joined()
        reported = one.slots()[0]["UpdateSequenceNumber"]
        wait_until(lambda: one.slots()[0]["UpdateSequenceNumber"] > reported + 3, 30, "it has looked three times more")
        assert one.process.poll() is None
        one.tell_to_end()
        assert one.ended() is Exit.TERMINATED


def test_retired_it_leaves_at_once_and_a_busy_one_only_when_it_is_meant(bare):
    with glidein(bare, "retired") as one:
        one.joined()
        payload = training(one)
        refused = one.drain("-exit-on-completion", "-check", 'State == "Unclaimed"', check=False)
        assert refused.returncode != 0
        assert "check expression is false" in refused.stderr
        assert not payload.has("asked-to-leave")

        one.drain("-exit-on-completion")
        assert one.ended() is Exit.RETIRED
        assert payload.has("left")
        (job,) = bare.jobs(BATCH)
        assert job["JobStatus"] == 1
        assert one.words()["cause"] == "retired"


def test_retired_patiently_its_jobs_run_on_and_it_can_be_taken_back(bare):
    with glidein(bare, "patient") as one:
        one.joined()
        payload = training(one)
        one.drain("-exit-on-completion", "-reason", "patient")
        wait_until(lambda: one.slots('DrainReason == "patient" && Activity == "Retiring"'), 30, "it retires")
        assert not payload.has("asked-to-leave")
        one.drain("-cancel")
        wait_until(lambda: not one.slots("Draining"), 30, "it was taken back")
        second = training(one)
        assert [payload.has("asked-to-leave"), second.has("left")] == [False, False]


def test_told_to_end_its_jobs_save_their_state_and_go_back(bare):
    with glidein(bare, "told") as one:
        one.joined()
        payload = training(one, leave_seconds=2)
        one.tell_to_end()
        assert one.ended() is Exit.TERMINATED
        assert payload.has("left")
        wait_until(lambda: [job["JobStatus"] for job in bare.jobs(BATCH)] == [1], 15, "it is idle again")


def test_a_job_that_does_not_leave_is_ended_within_the_grace(bare):
    with glidein(bare, "stubborn") as one:
        one.joined()
        payload = training(one, leave_seconds=3600, job_max_vacate_time=100)
        began = time.monotonic()
        one.tell_to_end()
        assert one.ended() is Exit.TERMINATED
        assert GRACE_SECONDS - GOODBYE_SECONDS - 2 < seconds_since(began) < GRACE_SECONDS
        assert not payload.has("left")
        wait_until(lambda: [job["JobStatus"] for job in bare.jobs(BATCH)] == [1], 15, "it is idle again")


def test_a_killed_startd_takes_its_jobs_back_to_the_queue(bare):
    with glidein(bare, "crashed") as one:
        one.joined()
        payload = training(one)
        os.kill(one.startd(), signal.SIGKILL)
        assert one.ended() is Exit.CRASHED
        assert payload.has("left")
        # Gone at once, not forgotten after a minute: what seems to be in use counts against the group.
        wait_until(lambda: [job["JobStatus"] for job in bare.jobs(BATCH)] == [1], 60, "it is idle again")
        assert "SIGKILL" in one.words()["detail"]
        assert one.slots() == []


def test_a_killed_entrypoint_leaves_no_process_and_loses_no_job(bare):
    with glidein(bare, "orphan") as one:
        one.joined()
        payload = training(one)
        one.process.kill()
        one.process.wait()
        wait_until(lambda: not list(processes.members(one.work)), GRACE_SECONDS, "its daemons have ended")
        assert payload.has("left")
        wait_until(lambda: [job["JobStatus"] for job in bare.jobs(BATCH)] == [1], 15, "it is idle again")


@pytest.mark.slow
def test_what_a_killed_entrypoint_left_is_found_and_ended(bare):
    with glidein(bare, "stuck") as one:
        one.joined()
        training(one)
        startd = one.startd()
        assert processes.entrypoint(one.work) == one.process.pid
        assert processes.orphans(one.work) == []
        os.kill(startd, signal.SIGSTOP)  # it does not hear that its entrypoint is gone
        one.process.kill()
        one.process.wait()
        assert startd in processes.orphans(one.work)
        assert processes.end(one.work, soft_seconds=5)
        assert processes.orphans(one.work) == []
        wait_until(lambda: [job["JobStatus"] for job in bare.jobs(BATCH)] == [1], 60, "its job is idle again")
