"""Idle jobs become needs."""

import time

from small_pool import NOW, asks_a100, job

from mlinfn_condor.provisioning.demand import needs


def test_jobs_that_ask_for_the_same_are_one_need_with_its_users_and_its_oldest_job():
    (need,) = needs(
        [
            job("1.0", user="alice", **asks_a100()),
            job("2.0", user="bob", **asks_a100(EnteredCurrentStatus=NOW - 500)),
            job("2.1", user="bob", **asks_a100()),
        ]
    )
    assert (need.count, need.users, need.since, str(need.job)) == (3, 2, NOW - 500, "batch@2.0")
    assert need.words == "3 batch jobs of alpha, each asking 1 A100, 1 core and 1.0 GB of memory"


def test_class_project_and_size_keep_needs_apart():
    found = needs(
        [
            job("1.0"),
            job("2.0", priority_class="dask"),
            job("3.0", Project="beta"),
            job("4.0", RequestCpus=2),
            job("5.0", RequestMemory=4096),
            job("6.0", **asks_a100()),
            job("7.0", **asks_a100(2)),
        ]
    )
    assert [need.count for need in found] == [1] * 7


def test_requests_that_a_node_rounds_to_the_same_are_one_need():
    (need,) = needs([job("1.0", RequestMemory=1000), job("2.0", RequestMemory=1024)])
    assert (need.count, need.ask.memory_mb) == (2, 1024)


def test_jobs_that_are_not_idle_or_need_no_node_do_not_count():
    running, held = job("1.0", status=2), job("2.0", status=5)
    scheduler, local = job("3.0", JobUniverse=7), job("4.0", JobUniverse=12)
    assert needs([running, held, scheduler, local]) == []


def test_a_job_that_a_slot_already_names_does_not_count():
    starting, waiting = job("1.0"), job("2.0")
    (need,) = needs([starting, waiting], served=[starting.id])
    assert need.job == waiting.id


def test_a_request_that_is_no_value_at_all_harms_nobody_else():
    strange, sane = job("1.0", RequireGPUs=["A100"]), job("2.0")
    assert sum(need.count for need in needs([strange, sane])) == 2


def test_a_need_knows_its_jobs():
    (need,) = needs([job("1.0", **asks_a100())])
    assert need.covers(job("9.0", **asks_a100()))
    assert not need.covers(job("9.0", **asks_a100(2)))
    assert not need.covers(job("9.0", Project="beta", **asks_a100()))


def test_a_hundred_thousand_jobs_are_grouped_in_a_moment():
    jobs = [
        job(f"{number}.0", RequestCpus=1 + number % 50, RequestMemory=1024 + number % 10) for number in range(20_000)
    ]
    began = time.thread_time()
    found = needs(jobs)
    assert time.thread_time() - began < 0.2  # a fifth of them; a sane machine takes a fifth of this
    assert sum(need.count for need in found) == 20_000
