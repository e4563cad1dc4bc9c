"""Dask workers through the bindings: the submit text of dask-jobqueue, as a job of class dask."""

import asyncio

import pytest

pytest.importorskip("dask_jobqueue")

from mlinfn_condor.dask.job import condor_job
from mlinfn_condor.errors import JobRefused
from mlinfn_condor.pool.twin import TwinPool

SCHEDULER = "tcp://127.0.0.1:8786"


def make_job(pool, **options):
    return condor_job(pool)(SCHEDULER, name="w-0", cores=2, memory="2GB", disk="1GB", python="exec python", **options)


def submit(pool, job):
    async def submitted():
        with job.job_file() as script:
            job.job_id = job._job_id_from_submit_output(await job._submit_job(script))

    asyncio.run(submitted())
    return pool.jobs()


def test_a_worker_is_a_job_of_class_dask():
    pool = TwinPool()
    job = make_job(pool)
    (queued,) = submit(pool, job)
    assert queued.id.access_point == "batch@"
    assert queued.id.local == job.job_id
    assert queued.ad["PriorityClass"] == "dask"
    assert "dask_worker tcp://127.0.0.1:8786 --name w-0" in queued.ad["Arguments"].replace("' '", " ")


def test_a_users_own_directives_do_not_lose_the_class():
    pool = TwinPool()
    (queued,) = submit(pool, make_job(pool, job_extra_directives={"MY.Project": '"alpha"'}))
    assert (queued.ad["PriorityClass"], queued.ad["Project"]) == ("dask", "alpha")


def test_closing_removes_the_job_and_closing_twice_is_no_error():
    pool = TwinPool()
    job = make_job(pool)
    submit(pool, job)
    asyncio.run(job._close_job(job.job_id, ""))
    assert pool.jobs() == []
    asyncio.run(job._close_job(job.job_id, ""))


def test_closing_what_never_was_submitted_does_nothing():
    asyncio.run(make_job(TwinPool())._close_job(None, ""))


def test_the_pools_refusal_reaches_the_user():
    pool = TwinPool(refusals={'PriorityClass != "dask"': "no dask today"})
    with pytest.raises(JobRefused, match="no dask today"):
        submit(pool, make_job(pool))
