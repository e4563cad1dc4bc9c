"""Rows of `mlinfn status`."""

from small_pool import FIRST, NODE, NOW, SECOND, claimed, device_ads, job, partitionable, snapshot

from mlinfn_condor.pool import Job
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.submission.snapshot import Snapshot
from mlinfn_condor.submission.status import status

BATCH = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST)
LEAVING = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST, State="Preempting", EnteredCurrentState=NOW - 8)
SESSION = claimed("slot1_1@server2@host", "interactive@1.0", "interactive", FIRST)
DASK = claimed("slot5_2@server2@host", "batch@2.0", "dask", SECOND)


def only_device_row(*slots):
    (row,) = status(snapshot([], (*NODE, *slots))).devices
    return row


def test_a_device_of_two_slots_is_counted_once():
    row = only_device_row()
    assert (row.total, row.free) == (2, 2)


def test_devices_are_counted_by_the_class_that_uses_them():
    row = only_device_row(BATCH, DASK)
    assert (row.batch, row.dask, row.free, row.session, row.handing_over) == (1, 1, 0, 0, 0)


def test_a_device_that_session_and_victim_hold_is_being_handed_over():
    row = only_device_row(SESSION, LEAVING)
    assert (row.handing_over, row.session, row.batch, row.free) == (1, 0, 0, 1)


def test_uses_add_up_to_the_total():
    row = only_device_row(SESSION, LEAVING, DASK)
    assert row.free + row.session + row.dask + row.batch + row.handing_over == row.total


def test_a_simulated_device_says_so_and_a_real_one_does_not():
    real = partitionable("slot1@server3@host", "session", device_ads("server3", "A30", 1, simulated=False))
    labels = {row.label for row in status(snapshot([], (*NODE, real))).devices}
    assert labels == {"A100 (simulated)", "A30"}


def test_running_jobs_tell_their_node_and_devices():
    (row,) = status(snapshot([job("1.0", status=2)], (*NODE, BATCH))).jobs
    assert (row.jobs, row.node, row.devices) == ("batch@1.0", "server2", "A100 (simulated)")


def test_both_sides_of_a_hand_over_are_marked():
    jobs = [job("1.0", status=2), job("1.0", "interactive", status=2)]
    rows = {row.jobs: row.devices for row in status(snapshot(jobs, (*NODE, SESSION, LEAVING))).jobs}
    assert rows == {"interactive@1.0": "A100 (simulated), comes", "batch@1.0": "A100 (simulated), goes"}


def test_idle_jobs_are_counted_per_user():
    jobs = [job(f"7.{number}") for number in range(30)] + [job("8.0", user="bob")]
    rows = [(row.user, row.count, row.jobs) for row in status(snapshot(jobs)).jobs]
    assert rows == [("alice", 30, "batch@7.0 … 7.29"), ("bob", 1, "batch@8.0")]


def test_classes_count_states_and_users():
    jobs = [job("1.0", status=2), job("2.0"), job("3.0", status=5, user="bob"), job("4.0", "dask")]
    rows = {row.priority_class: row for row in status(snapshot(jobs)).classes}
    batch = rows["batch"]
    assert (batch.running, batch.idle, batch.held, batch.users) == (1, 1, 1, 2)
    assert rows["dask"].idle == 1


def devices_of_a_running_job(*slots, now):
    pool = TwinPool([slot.ad for slot in (*NODE, *slots)], now=NOW)
    running = pool.submit('executable = /bin/true\n+PriorityClass = "batch"\nqueue', "batch@")
    pool.start(running, "slot5_1@server2@host", FIRST)
    return status(Snapshot.take(pool, now=now)).devices[0]


def test_a_job_whose_slot_was_not_reported_yet_holds_its_device_all_the_same():
    row = devices_of_a_running_job(now=NOW + 2)
    assert (row.batch, row.free) == (1, 1)


def test_a_job_that_has_lost_its_node_holds_no_device():
    row = devices_of_a_running_job(now=NOW + 60)
    assert (row.batch, row.free) == (0, 2)


def test_a_job_of_an_unknown_class_is_shown_as_such():
    (row,) = status(snapshot([Job.from_ad("batch@", {"ClusterId": 1, "JobStatus": 5})])).jobs
    assert row.priority_class == "none"
