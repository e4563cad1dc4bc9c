"""Dask workers through the bindings: the submit text of dask-jobqueue, as jobs of class dask, many in one submit."""

import asyncio

import pytest

pytest.importorskip("dask_jobqueue")

from asked import InThread

from mlinfn_condor.dask.batches import Batches
from mlinfn_condor.dask.job import condor_job
from mlinfn_condor.errors import JobRefused
from mlinfn_condor.pool.twin import TwinPool

SCHEDULER = "tcp://127.0.0.1:8786"


def make_jobs(pool, names=("w-0",), **options):
    kind = condor_job(Batches(InThread(pool)))
    given = {"cores": 2, "memory": "2GB", "disk": "1GB", "python": "exec python"} | options
    return [kind(SCHEDULER, name=name, **given) for name in names]


async def together(awaitables):
    return await asyncio.gather(*awaitables, return_exceptions=True)


def submit(pool, jobs):
    asyncio.run(together([job.start() for job in jobs]))
    return pool.jobs()


def test_a_worker_is_a_job_of_class_dask():
    pool = TwinPool()
    (job,) = make_jobs(pool)
    (queued,) = submit(pool, [job])
    assert queued.id == job.id
    assert queued.id.access_point == "batch@"
    assert queued.ad["PriorityClass"] == "dask"
    assert "dask_worker tcp://127.0.0.1:8786 --name w-0" in queued.ad["Arguments"].replace("' '", " ")


def test_workers_of_one_turn_are_one_submit_and_each_has_its_own_name():
    pool = TwinPool()
    jobs = make_jobs(pool, [f"w-{n}" for n in range(200)])
    queued = submit(pool, jobs)
    assert {job.id.cluster for job in queued} == {1}
    assert [job.id for job in queued] == [job.id for job in jobs]
    for worker, job in zip(jobs, queued, strict=True):
        assert f"--name {worker.name} " in job.ad["Arguments"]


def test_workers_of_another_shape_are_another_submit():
    pool = TwinPool()
    kind = condor_job(Batches(InThread(pool)))
    jobs = [kind(SCHEDULER, name=f"w-{n}", cores=n, memory="2GB", disk="1GB") for n in (1, 2)]
    assert {job.id.cluster for job in submit(pool, jobs)} == {1, 2}


def test_a_users_own_directives_do_not_lose_the_class():
    pool = TwinPool()
    (queued,) = submit(pool, make_jobs(pool, job_extra_directives={"MY.Project": '"alpha"'}))
    assert (queued.ad["PriorityClass"], queued.ad["Project"]) == ("dask", "alpha")


def test_closing_removes_the_jobs_and_closing_twice_is_no_error():
    pool = TwinPool()
    jobs = make_jobs(pool, [f"w-{n}" for n in range(120)])

    async def life():
        await together([job.start() for job in jobs])
        return await together([job.close() for job in jobs] + [jobs[0].close()])

    assert set(asyncio.run(life())) == {None}
    assert pool.jobs() == []


def test_closing_what_never_was_submitted_does_nothing():
    asyncio.run(make_jobs(TwinPool())[0].close())


def test_the_pools_refusal_reaches_each_worker():
    pool = TwinPool(refusals={'PriorityClass != "dask"': "no dask today"})
    jobs = make_jobs(pool, ["w-0", "w-1"])
    submit(pool, jobs)
    assert all(isinstance(job.refusal, JobRefused) for job in jobs)
    assert {str(job.refusal) for job in jobs} == {"no dask today"}
