"""What every pool promises, the twin like the real one."""

import pytest
from postgres import wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import JobEnded, JobHeld, JobNotFound, JobRefused, PoolUnavailable
from mlinfn_condor.pool import JobId, JobState, find_job


def test_a_submitted_job_is_in_the_queue_under_its_id(bench):
    job = bench.submit(seconds=60)
    (found,) = bench.pool.jobs(job.constraint, access_points=["batch@"])
    assert found.id == job
    assert found.state in (JobState.IDLE, JobState.RUNNING)
    assert (found.cpus, found.memory_mb) == (1, 128)
    assert found.priority_class == "batch"
    bench.pool.remove(job, "the test is over")


def test_a_job_keeps_attributes_that_the_query_asks_for(bench):
    job = bench.submit('+Colour = "blue"', seconds=60)
    assert find_job(bench.pool, job, ["Colour"]).ad["Colour"] == "blue"
    bench.pool.remove(job, "the test is over")


def test_rows_give_macros_their_values_one_job_each(bench):
    description = bench.description('+Colour = "$(colour)"', seconds=60)
    first = bench.pool.submit(description, "batch@", [{"colour": "red"}, {"colour": "green"}])
    found = bench.pool.jobs(f"ClusterId == {first.cluster}", ["Colour"], ["batch@"])
    assert {job.id.proc: job.ad["Colour"] for job in found} == {0: "red", 1: "green"}
    for job in found:
        bench.pool.remove(job.id, "the test is over")


def test_all_jobs_of_one_submit_are_removed_together(bench):
    mine, others = bench.description(seconds=60), bench.submit(seconds=60)
    first = bench.pool.submit(mine, "batch@", [{"number": "1"}, {"number": "2"}])
    bench.pool.remove_submit(first, "the test is over")
    bench.pool.remove_submit(first, "once more")
    ended = f"ClusterId == {first.cluster}"
    wait_until(lambda: len(bench.pool.history(ended, (), ["batch@"])) == 2, 60, "both in the history")
    assert bench.pool.jobs(others.constraint, access_points=["batch@"]), "and nobody else's"
    bench.pool.remove(others, "the test is over")


def test_a_row_wins_over_what_the_description_says(bench):
    description = "colour = blue\n" + bench.description('+Colour = "$(colour)"', '+Size = "$(size)"', seconds=60)
    for row in (
        {"colour": "red, or  so it's", "size": "1, 2"},
        {"colour": "red, or  so it's"},
        {"size": "(", "colour": "red"},
    ):
        first = bench.pool.submit(description, "batch@", [row])
        (found,) = bench.pool.jobs(f"ClusterId == {first.cluster}", ["Colour", "Size"], ["batch@"])
        assert {name: found.ad[name.title()] for name in row} == row
        bench.pool.remove(found.id, "the test is over")


def test_a_requirement_on_devices_stays_an_expression(bench):
    job = bench.submit("request_gpus = 1", 'require_gpus = DeviceModel == "NONE"')
    assert find_job(bench.pool, job).ad["RequireGPUs"] == 'DeviceModel == "NONE"'
    bench.pool.remove(job, "the test is over")


def test_a_refusal_gives_the_reason_of_the_policy_and_queues_nothing(bench):
    with pytest.raises(JobRefused, match="PriorityClass"):
        bench.submit('+Marker = "refused"', priority_class="urgent")
    assert bench.pool.jobs('Marker == "refused"') == []


def test_a_description_that_cannot_be_read_is_refused(bench):
    with pytest.raises(JobRefused):
        bench.pool.submit("this is no submit description\n", "batch@")


def test_an_expression_that_cannot_be_read_is_refused(bench):
    with pytest.raises(JobRefused, match="RequestGPUs"):
        bench.submit("request_gpus = one or two")


def test_an_access_point_that_does_not_exist_is_unavailable(bench):
    with pytest.raises(PoolUnavailable, match="nowhere@"):
        bench.pool.submit(bench.description(), "nowhere@")


def test_a_job_runs_completes_and_goes_into_the_history(bench):
    job = bench.submit()
    assert bench.wait(job, JobState.COMPLETED).state is JobState.COMPLETED
    assert find_job(bench.pool, job).state is JobState.COMPLETED
    assert bench.pool.jobs(job.constraint, access_points=["batch@"]) == []


def test_waiting_for_a_state_that_an_ended_job_was_in_succeeds(bench):
    job = bench.submit()
    bench.wait(job, JobState.COMPLETED)
    assert bench.pool.wait_for(job, JobState.RUNNING, seconds=60).id == job


def test_waiting_for_a_held_job_stops_at_once_and_says_why(bench):
    job = bench.submit("hold = true")
    with pytest.raises(JobHeld, match="submitted on hold"):
        bench.pool.wait_for(job, JobState.RUNNING, seconds=60)
    bench.pool.remove(job, "the test is over")


def test_waiting_for_a_removed_job_stops_at_once(bench):
    job = bench.submit("hold = true")
    bench.pool.remove(job, "not wanted any more")
    with pytest.raises(JobEnded, match="never running"):
        bench.pool.wait_for(job, JobState.RUNNING, seconds=60)


def test_a_removed_job_is_found_with_its_reason(bench):
    job = bench.submit("hold = true")
    bench.pool.remove(job, "not wanted any more")
    found = bench.pool.wait_for(job, JobState.REMOVED, seconds=60)
    assert "not wanted any more" in found.ad["RemoveReason"]


def test_a_job_nobody_submitted_is_not_found(bench):
    with pytest.raises(JobNotFound, match="987654"):
        find_job(bench.pool, JobId("batch@", 987654))


def test_removing_a_job_nobody_submitted_says_so(bench):
    with pytest.raises(JobNotFound, match="987654"):
        bench.pool.remove(JobId("batch@", 987654), "no reason")


def test_slots_tell_their_node_and_whom_they_are_for(bench):
    slots = bench.pool.slots("PartitionableSlot")
    assert slots
    assert all(slot.partitionable and slot.offer for slot in slots)
    assert all(slot.node and "@" not in slot.node for slot in slots)


def test_priorities_name_the_group_of_each_class(bench):
    assert "group_batch" in {priority.name for priority in bench.pool.priorities() if priority.is_group}


def test_submitters_are_counted_by_class_and_project(bench):
    job = bench.submit("hold = true")
    project = bench.pool.jobs(job.constraint, access_points=["batch@"])[0].project or "twin"
    (mine,) = wait_until(
        lambda: [each for each in bench.pool.submitters() if each.access_point == "batch@" and each.held],
        seconds=60,
        what="a held job told to the collector",
    )
    bench.pool.remove(job, "the test is over")
    assert (mine.priority_class, mine.project, mine.held) == (PriorityClass.BATCH, project, 1)


def test_without_a_provisioner_no_node_is_to_come(bench):
    assert bench.pool.addable() == []


def test_a_user_cannot_reconfigure_an_access_point(bench):
    with pytest.raises(PoolUnavailable, match="batch@"):
        bench.pool.reconfigure("batch@")


def test_a_user_cannot_reconfigure_the_collector(bench):
    with pytest.raises(PoolUnavailable, match="collector"):
        bench.pool.reconfigure_collector()


def test_an_access_point_that_does_not_exist_cannot_be_reconfigured(bench):
    with pytest.raises(PoolUnavailable, match="nowhere@"):
        bench.pool.reconfigure("nowhere@")


def test_who_follows_is_told_what_was_and_what_comes(bench):
    job, other = bench.submit(seconds=1), bench.submit(seconds=60)
    batches = bench.pool.follow([job])
    told = list(next(batches))
    bench.wait(job, JobState.COMPLETED)
    told += wait_for_end(batches)
    assert {one.job for one in told} == {job}
    assert [one.state for one in told] == [JobState.IDLE, JobState.RUNNING, JobState.COMPLETED]
    assert told[-1].exit_code == 0
    bench.pool.remove(other, "the test is over")


def test_who_follows_is_told_why_a_job_was_removed(bench):
    job = bench.submit("hold = true")
    bench.pool.remove(job, "the test is over")
    told = wait_for_end(bench.pool.follow([job]))
    assert told[-1].state is JobState.REMOVED
    assert "the test is over" in told[-1].reason


def test_a_job_that_never_was_cannot_be_followed(bench):
    with pytest.raises(JobNotFound):
        list(bench.pool.follow([JobId("batch@", 999_999)]))


def wait_for_end(batches):
    """What is told until a job has ended; a batch comes at least every second."""
    told = []
    for _, batch in zip(range(60), batches, strict=False):
        told += batch
        if told and told[-1].state.final:
            return told
    pytest.fail(f"no end in sight: {told}")
