"""One suite, two pools: the twin in memory and a real HTCondor on this machine. And the same for Kubernetes."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from kube_benches import LENT, ClusterBench, MemoryBench
from kube_standin import ApiServer

from mlinfn_condor.kube.twin import TwinCluster
from mlinfn_condor.pool import Job, JobId, JobState, Pool
from mlinfn_condor.pool.real import RealPool
from mlinfn_condor.pool.twin import TwinPool

SLOT = {"Name": "slot1@twin@localhost", "PartitionableSlot": True, "Cpus": 8, "MlinfnOffer": "work"}
GROUP = {"Name": "group_batch", "IsAccountingGroup": True, "Priority": 500.0}
KNOWN_CLASS = {'PriorityClass is "batch" || PriorityClass is "dask"': 'set PriorityClass to "batch" or "dask"'}


@dataclass
class Bench:
    """A pool, a folder its jobs can write to, and how to make a job run to its end."""

    pool: Pool
    folder: Path

    def description(self, *extra: str, seconds: int = 0, priority_class: str = "batch") -> str:
        return "\n".join(
            [
                "executable = /bin/sleep",
                "transfer_executable = False",
                f"arguments = {seconds}",
                f"initialdir = {self.folder}",
                "log = contract.$(Cluster).log",
                "request_cpus = 1",
                "request_memory = 128MB",
                "request_disk = 10MB",
                f'+PriorityClass = "{priority_class}"',
                *extra,
                "queue",
            ]
        )

    def submit(self, *extra: str, seconds: int = 0, **how: str) -> JobId:
        return self.pool.submit(self.description(*extra, seconds=seconds, **how), "batch@")

    def wait(self, job: JobId, state: JobState) -> Job:
        if isinstance(self.pool, TwinPool) and self.pool.jobs(job.constraint, (), [job.access_point]):
            if state in (JobState.RUNNING, JobState.COMPLETED):
                self.pool.start(job)
            if state is JobState.COMPLETED:
                self.pool.finish(job)
        return self.pool.wait_for(job, state, seconds=120)


@pytest.fixture(params=["twin", "real"])
def bench(request, tmp_path):
    if request.param == "twin":
        return Bench(TwinPool([SLOT], [GROUP], KNOWN_CLASS), tmp_path)
    running = request.getfixturevalue("running_pool")
    return Bench(RealPool(running.environment()), tmp_path)


@pytest.fixture(params=["twin", "api-server", *(["cluster"] if LENT else [])])
def kube_bench(request, tmp_path):
    """One suite, three clusters: in memory, in memory behind HTTPS, and a real one where somebody lends it."""
    if request.param == "cluster":
        bench = ClusterBench(Path(LENT).resolve(), tmp_path)
    else:
        cluster = TwinCluster()
        bench = MemoryBench(cluster, tmp_path, ApiServer(cluster) if request.param == "api-server" else None)
    yield bench
    bench.close()
