"""Workers for a notebook on a machine without `condor_submit`: the same jobs, handed over by the bindings.

Where the command is on PATH nothing of this is needed: plain `HTCondorCluster()` does.
"""

import asyncio
import contextlib
from pathlib import Path

from dask_jobqueue.htcondor import HTCondorJob

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import JobNotFound
from mlinfn_condor.pool import JobId, Pool

DIRECTIVES = f'MY.PriorityClass = "{PriorityClass.DASK}"\nshould_transfer_files = IF_NEEDED\n'
"""What `submit_templates/dask-jobqueue.yaml` has condor_submit append; before the rest, so that a user may differ."""


def condor_job(pool: Pool) -> type[HTCondorJob]:
    """A job class for `HTCondorCluster(job_cls=…)` whose workers are submitted and removed through `pool`."""

    class CondorJob(HTCondorJob):
        async def _submit_job(self, script_filename: str) -> str:
            description = DIRECTIVES + Path(script_filename).read_text()
            # In a thread: the scheduler lives in the same event loop, and an access point may take its time.
            job = await asyncio.to_thread(pool.submit, description, PriorityClass.DASK.access_point)
            return f"1 job(s) submitted to cluster {job.cluster}."

        @classmethod
        async def _close_job(cls, job_id: str | None, _cancel_command: str) -> None:
            if job_id is None:
                return
            job = JobId.parse(f"{PriorityClass.DASK.access_point}{job_id}")
            with contextlib.suppress(JobNotFound):
                await asyncio.to_thread(pool.remove, job, "its Dask cluster does not need it any more")

    return CondorJob
