"""The gate to HTCondor: what the rest of the package knows of a pool, the real one and its twin in memory."""

from mlinfn_condor.pool.addable import Addable
from mlinfn_condor.pool.bindings import configured, satisfies
from mlinfn_condor.pool.events import Happening
from mlinfn_condor.pool.images import ImageKind
from mlinfn_condor.pool.jobs import Job, JobId, JobState
from mlinfn_condor.pool.priorities import Priority
from mlinfn_condor.pool.protocol import ACCESS_POINTS, Pool, find_job
from mlinfn_condor.pool.slots import Device, DeviceKind, Slot
from mlinfn_condor.pool.submitters import Submitter

__all__ = [
    "ACCESS_POINTS",
    "Addable",
    "Device",
    "DeviceKind",
    "Happening",
    "ImageKind",
    "Job",
    "JobId",
    "JobState",
    "Pool",
    "Priority",
    "Slot",
    "Submitter",
    "configured",
    "find_job",
    "satisfies",
]
