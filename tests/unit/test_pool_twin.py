"""What only the twin can do: what a pool does, at a test's word. The rest is in tests/contract."""

import pytest

from mlinfn_condor.errors import BadRequest, JobEnded, JobHeld, PoolUnavailable, Timeout
from mlinfn_condor.pool import Job, JobId, JobState, Slot
from mlinfn_condor.pool.bindings import satisfies
from mlinfn_condor.pool.twin import TwinPool


@pytest.fixture
def pool():
    return TwinPool()


@pytest.fixture
def job(pool):
    return pool.submit("executable = /bin/true\nqueue", "batch@")


def test_an_evicted_job_is_idle_again_and_keeps_its_id(pool, job):
    pool.start(job)
    pool.evict(job)
    assert [(one.id, one.state) for one in pool.jobs()] == [(job, JobState.IDLE)]


def test_waiting_in_vain_is_known_at_once(pool, job):
    with pytest.raises(Timeout, match="is not running"):
        pool.wait_for(job, JobState.RUNNING, seconds=1000)


def test_waiting_stops_when_the_job_is_held(pool, job):
    pool.start(job)
    pool.hold(job, "the disk is full")
    with pytest.raises(JobHeld, match="the disk is full"):
        pool.wait_for(job, JobState.COMPLETED, seconds=1000)


def test_a_job_that_ended_before_it_ran_never_runs(pool, job):
    pool.remove(job, "not wanted")
    with pytest.raises(JobEnded):
        pool.wait_for(job, JobState.RUNNING, seconds=1000)


def test_history_tells_the_latest_first_and_no_more_than_asked(pool):
    jobs = [pool.submit("executable = /bin/true\nqueue", "batch@") for _ in range(3)]
    for job in jobs:
        pool.start(job)
        pool.finish(job)
    assert [job.id for job in pool.history(limit=2)] == [jobs[2], jobs[1]]


def test_constraints_are_classad_expressions(pool):
    pool.submit("executable = /bin/true\nrequest_cpus = 4\nqueue 2", "batch@")
    assert len(pool.jobs("RequestCpus > 2 && ProcId == 1")) == 1
    assert pool.jobs("NoSuchAttribute > 2") == []


def test_jobs_may_come_while_others_are_looked_at(pool, job, monkeypatch):
    def meanwhile(constraint, ad):
        pool.submit("executable = /bin/true\nqueue", "batch@")
        return satisfies(constraint, ad)

    monkeypatch.setattr("mlinfn_condor.pool.twin.satisfies", meanwhile)
    assert [one.id for one in pool.jobs()] == [job]


@pytest.mark.parametrize(
    ("text", "access_point", "local"),
    [("12.3", "batch@", "12.3"), ("interactive@3.0", "interactive@", "3.0"), ("batch@7", "batch@", "7.0")],
)
def test_a_job_id_is_read_as_people_write_it(text, access_point, local):
    assert (JobId.parse(text).access_point, JobId.parse(text).local) == (access_point, local)


def test_a_job_id_is_written_as_it_is_read():
    assert JobId.parse(str(JobId("interactive@", 3, 1))) == JobId("interactive@", 3, 1)


@pytest.mark.parametrize("text", ["", "twelve", "1.2.3", "batch@", '1" || true', "-1.0"])
def test_what_is_no_job_id_is_refused_with_examples(text):
    with pytest.raises(BadRequest, match=r"interactive@3\.0"):
        JobId.parse(text)


def test_an_undocumented_job_state_is_named():
    with pytest.raises(PoolUnavailable, match="JobStatus 9"):
        Job.from_ad("batch@", {"ClusterId": 1, "JobStatus": 9})


def test_a_slot_reads_its_devices_from_their_property_ads():
    slot = Slot.from_ad(
        {
            "Name": "slot3@server2@host",
            "FPGAs_Simulated": True,
            "FPGAs_FPGA_server2_U50_0": {"Id": "FPGA-server2-U50-0", "DeviceModel": "U50", "Simulated": True},
        }
    )
    (device,) = slot.devices
    assert (slot.node, device.kind.value, device.model, device.label) == ("server2", "fpga", "U50", "U50 (simulated)")


def test_an_administrator_reconfigures_and_the_test_can_see_it():
    pool = TwinPool(user="admin")
    pool.reconfigure("interactive@")
    assert pool.reconfigured == ["interactive@"]
