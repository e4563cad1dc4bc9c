"""Real glideins come with demand, serve it and leave; whoever of them or of their provisioner is killed."""

import json
import os
import signal
import time
from collections.abc import Iterator
from random import Random

import pytest
from driver import Driver, wait_until
from glideins import GONE_SECONDS, Provisioners, closing

from mlinfn_condor.glidein import processes
from mlinfn_condor.node.processes import name as name_of

SETTINGS = """
[kinds.t4]
device_kind = "gpu"
model = "T4"
devices = 2
cpus = 4
memory_mb = 8192
most = 3

[limits]
starts = 3

[intervals]
loop_seconds = 1
idle_seconds = 10
join_seconds = 30
report_seconds = 10
withdraw_seconds = 5
"""
T4 = {"request_gpus": 1, "require_gpus": 'DeviceModel == "T4"'}
COME_SECONDS, LEAVE_SECONDS = 60, 60
TOLD_SECONDS = 70
"""The negotiator reports every 60 s."""
SOAK_SECONDS, SOAK_SEED = 600, 20261125


@pytest.fixture
def provisioners(bare: Driver) -> Iterator[Provisioners]:
    with closing(Provisioners(bare, SETTINGS)) as ready:
        yield ready


def to_come(provisioners: Provisioners) -> str:
    words = ["condor_status", "-negotiator", "-af", "MlinfnNodesToCome"]
    return provisioners.driver.run(*words, user="alice").stdout.strip()


def test_nodes_come_with_demand_serve_it_and_leave(provisioners):
    provisioners.start()
    jobs = provisioners.driver.submit(count=3, run_seconds=3, **T4)
    for job in jobs:
        job.wait_for("finished", COME_SECONDS)
    assert provisioners.joined() == {"t4-1", "t4-2"}, "three devices are two nodes"
    assert all(device.startswith("GPU-t4-") for job in jobs for device in job.events()[0].devices)
    wait_until(lambda: not provisioners.alive(), LEAVE_SECONDS, "idle nodes have left")
    wait_until(lambda: not provisioners.works(), GONE_SECONDS, "and were cleared away")
    journal = [json.loads(line) for line in provisioners.layout.glidein_journal.read_text().splitlines()]
    told = [line["kind"] for line in journal if line["subject"] == "t4-1"]
    assert told[0] == "asked"
    assert "joined" in told
    assert "removed" in told
    wait_until(lambda: to_come(provisioners), TOLD_SECONDS, "everybody may read what one more node would bring")
    assert to_come(provisioners) == "gpu:2:1:2304:T4"


def test_plan_says_what_it_would_do_and_why_and_does_nothing(provisioners):
    provisioners.driver.submit(count=1, **T4)
    told = provisioners.mlinfn("glidein", "plan")
    assert told.returncode == 0, told.stderr
    assert "start t4-1: for 1 batch job of" in told.stdout
    assert provisioners.listed() == []


def test_why_says_what_becomes_of_a_job_that_waits_for_a_node(provisioners):
    (nobody,) = provisioners.driver.submit(request_gpus=1, require_gpus='DeviceModel == "H100"')
    (soon,) = provisioners.driver.submit(run_seconds=1, **T4)
    told = provisioners.mlinfn("why", str(soon.cluster)).stdout
    assert "No provisioner runs" in told
    provisioners.start()
    soon.wait_for("finished", COME_SECONDS)
    told = provisioners.mlinfn("why", str(nobody.cluster)).stdout
    assert "will never start as it is" in told
    assert "no node can be added" in told.lower(), told


def test_a_second_provisioner_waits_and_takes_over_when_the_first_is_killed(provisioners):
    first = provisioners.start()
    wait_until(lambda: provisioners.layout.glidein_leader.exists(), 30, "the first leads")
    provisioners.start()
    provisioners.kill(first)
    (job,) = provisioners.driver.submit(run_seconds=1, **T4)
    job.wait_for("finished", COME_SECONDS)
    assert len(provisioners.works()) == 1


def test_a_busy_glidein_is_not_retired_without_the_word_and_with_it_its_job_goes_back(provisioners):
    provisioner = provisioners.start()
    (job,) = provisioners.driver.submit(leave_seconds=1, **T4)
    job.wait_for("computing", COME_SECONDS)
    provisioners.kill(provisioner)  # it would ask for another node at once
    (name,) = (str(row["name"]) for row in provisioners.listed())
    refused = provisioners.mlinfn("glidein", "retire", name)
    assert refused.returncode == 1
    assert "something runs there" in refused.stderr
    assert provisioners.mlinfn("glidein", "retire", name, "--busy").returncode == 0
    job.wait_for("left", 60)
    wait_until(lambda: not provisioners.alive(), LEAVE_SECONDS, "it has left")
    (row,) = provisioners.listed()
    assert (row["state"], row["told"]) == ("ended", "it was drained")


@pytest.mark.slow
def test_whoever_is_killed_every_job_runs_and_nothing_is_left(provisioners):
    """Ten minutes of load; provisioner, startds and entrypoints killed at random points."""
    chance, driver = Random(SOAK_SEED), provisioners.driver
    provisioner = provisioners.start()
    deadline = time.monotonic() + SOAK_SECONDS
    jobs, kills = [], {"provisioner": 0, "startd": 0, "entrypoint": 0}
    while time.monotonic() < deadline:
        jobs += driver.submit(count=chance.randint(1, 4), run_seconds=chance.randint(1, 6), **T4)
        pause = time.monotonic() + chance.uniform(3, 20)
        wait_until(lambda until=pause: time.monotonic() > until, 30, "the next blow")
        victim = chance.choice(["provisioner", "startd", "entrypoint"])
        if victim == "provisioner":
            provisioners.kill(provisioner)
            provisioner = provisioners.start()
        elif works := provisioners.alive():
            work = chance.choice(sorted(works))
            startds = [pid for pid in processes.members(work) if name_of(pid) == "condor_startd"]
            pid = processes.entrypoint(work) if victim == "entrypoint" else next(iter(startds), None)
            if pid is None:
                continue
            os.kill(pid, signal.SIGKILL)
        else:
            continue
        kills[victim] += 1
        assert len(provisioners.alive()) <= 3, "never more than the site lets be"
    assert min(kills.values()) >= 3, kills
    for job in jobs:
        job.wait_for("finished", 300)
    wait_until(lambda: not driver.slots("DynamicSlot"), 120, "every job has left")
    wait_until(lambda: not provisioners.alive(), 180, "idle nodes have left")
    wait_until(lambda: not provisioners.works(), 180, "all were cleared away")
