"""A worker as a job of class dask: dask-jobqueue's own submit description, handed over through the gate to the pool."""

from typing import Any

from dask_jobqueue.htcondor import HTCondorJob
from distributed.core import Status

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.dask.batches import WORKER, Batches
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import JobId

DIRECTIVES = f"""\
MY.PriorityClass = "{PriorityClass.DASK}"
transfer_executable = False
should_transfer_files = YES
when_to_transfer_output = ON_EXIT
transfer_output_files = ""
kill_sig = SIGTERM
"""
"""Before the rest, so that a user may differ. Files are transferred on any site: a worker's credentials come so."""


class CondorJob(HTCondorJob):
    """One worker; `condor_job` makes the class that knows where to."""

    batches: Batches

    def __init__(self, scheduler: str | None = None, name: str | None = None, **options: Any) -> None:
        # The name is a macro, so that all workers of a cluster have one description.
        super().__init__(scheduler, name=f"$({WORKER})", **options)
        self.name = name
        self.id: JobId | None = None
        self.refusal: MlinfnError | None = None
        """Why it is not in the queue."""

    @property
    def description(self) -> str:
        """The submit description, the worker's name left open."""
        return DIRECTIVES + str(self.job_script())

    async def start(self) -> None:
        """Queue it. A refusal does not raise, for that would end the start of all others: `refusal` tells it."""
        try:
            self.id = await self.batches.submit(self.description, str(self.name))
            self.job_id = self.id.local
        except MlinfnError as error:
            self.refusal = error
        self.status = Status.running

    async def close(self) -> None:
        """Take it out of the queue."""
        if self.id is not None:
            await self.batches.remove(self.id)
        self.status = Status.closed
        self._event_finished.set()


def condor_job(batches: Batches) -> type[CondorJob]:
    """A job class for `HTCondorCluster(job_cls=…)` whose workers go through `batches`."""
    return type("CondorJob", (CondorJob,), {"batches": batches})
