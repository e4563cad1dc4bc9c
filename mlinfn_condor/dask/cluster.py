"""`Cluster`: dask-jobqueue's HTCondorCluster for this pool."""

import asyncio
import logging
import os
import time
from dataclasses import astuple
from functools import partial
from importlib.util import find_spec
from typing import Any

import dask
import yaml
from dask.utils import parse_timedelta
from dask_jobqueue.htcondor import HTCondorCluster
from distributed.core import Status
from distributed.deploy.adaptive import Adaptive as DaskAdaptive
from distributed.deploy.cluster import Cluster as AnyCluster
from distributed.security import Security

from mlinfn_condor.dask import dashboard, watching
from mlinfn_condor.dask.adapting import PoolAdaptive
from mlinfn_condor.dask.batches import ACCESS_POINT, Batches
from mlinfn_condor.dask.credentials import Credentials
from mlinfn_condor.dask.job import CondorJob, condor_job
from mlinfn_condor.dask.room import Shape, room, to_come
from mlinfn_condor.dask.wishes import directives, wished
from mlinfn_condor.errors import JobRefused, PoolUnavailable
from mlinfn_condor.pool import Addable, Job, JobState, Pool, Slot
from mlinfn_condor.pool.apart import Asked, PoolApart
from mlinfn_condor.shipped import shipped

WATCH_SECONDS = 5
"""Between two looks at the workers' jobs: one query of the access point for each cluster."""
JOIN_SECONDS = 60
"""How much longer than its own patience (`death-timeout`) a worker may run without joining."""

_log = logging.getLogger("distributed.deploy.mlinfn")


class Cluster(HTCondorCluster):
    """Dask workers on the pool, for whoever scales or adapts it; parameters of HTCondorCluster are taken as well.

    All workers of one `scale` are one submit, through HTCondor's bindings. Scheduler and workers speak TLS with a
    certificate of this cluster's own. A displaced worker keeps its place: HTCondor starts it again. One that is
    lost (held, removed, never joining) is replaced.
    """

    def __init__(
        self,
        n_workers: int = 0,
        *,
        devices: str | int = 0,
        project: str | None = None,
        security: Security | bool | None = True,
        asked: Asked | None = None,
        job_extra_directives: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """`devices` of each worker: `"A100:1"`, `"U250"` or a number of any GPUs; `project` accounts for them.

        `security=False` is without TLS. `asked` answers questions to the pool; by default a process of its own asks the
        pool of this process's environment. Raises BadRequest for devices that cannot be read.
        """
        _know_the_pools_values()
        self._wish = wished(devices)
        self._asked = asked or PoolApart()
        self._watch: asyncio.Task[None] | None = None
        self._seen: set[str] = set()
        self._told_of_no_dashboard = False
        self._patience = watching.Patience()
        security = Security.temporary() if security is True else security or None
        self._credentials = Credentials(security) if security else None
        own = directives(self._wish, project) | (self._credentials.directives if self._credentials else {})
        super().__init__(
            n_workers,
            job_cls=condor_job(Batches(self._asked)),  # type: ignore[arg-type]
            security=security,
            job_extra_directives=own | (job_extra_directives or {}),
            **options,
        )

    @property
    def dashboard_link(self) -> str:
        """Address of the dashboard, in a session a path behind the hub's proxy; empty if none works: see the log."""
        said = str(dask.config.get("distributed.dashboard.link", dashboard.DASKS_OWN))
        installed = {"bokeh": find_spec("bokeh") is not None, "proxy": find_spec("jupyter_server_proxy") is not None}
        try:
            template = dashboard.link(os.environ, said, **installed)
        except dashboard.NoDashboard as missing:
            if not self._told_of_no_dashboard:
                self._told_of_no_dashboard = True
                _log.warning("%s", missing)
            return ""
        with dask.config.set({"distributed.dashboard.link": template}):
            return str(super().dashboard_link)

    def adapt(self, *args: Any, Adaptive: type[DaskAdaptive] = PoolAdaptive, **options: Any) -> Any:  # noqa: N803
        """As Dask's, and never more workers than the pool can start, on nodes that are there or one that can be added.

        `waiting=n` lets n wait for new nodes, whatever the pool tells of them.
        """
        return super().adapt(*args, Adaptive=Adaptive, **options)

    async def capacity(self) -> tuple[int, int, int]:
        """Workers that run, workers that could start beside them, and workers that one more node would take."""
        job = self._dummy_job
        shape = Shape(int(job.worker_cores), job.worker_memory >> 20, self._wish)
        try:
            jobs, slots, nodes = await self._asked.ask(partial(_look_round, tuple(self._clusters())))
        except PoolUnavailable as error:
            _log.warning("Not scaled up: %s", error)
            return 0, 0, 0
        mine = {worker.id for worker in self.workers.values()}
        running = sum(job.state is JobState.RUNNING for job in jobs if job.id in mine)
        counts = (running, room(slots, shape), to_come(nodes, shape))
        first, second, third = (count * job.worker_processes for count in counts)
        return first, second, third

    async def replace_lost(self) -> list[watching.Lost]:
        """Look at the workers' jobs once, and replace those that will not come; they are returned with the reason."""
        queued = {name: job.id for name, job in self.workers.items() if job.id}
        unheard = [watching.Lost(name, str(job.refusal)) for name, job in self.workers.items() if job.refusal]
        refused = [one for one in unheard if isinstance(self.workers[one.worker].refusal, JobRefused)]
        await self._drop(refused, again=False)
        jobs: list[Job] = []
        if queued:
            jobs = await self._asked.ask(partial(_look, tuple(self._clusters())))
        joined = {str(worker["name"]) for worker in self.scheduler_info["workers"].values()}
        known = joined | {name.rpartition("-")[0] for name in joined}  # several processes: one name each
        patience = parse_timedelta(self._death_timeout()) + JOIN_SECONDS
        unheard = [one for one in unheard if one not in refused]  # the pool did not answer: no fault of theirs
        await self._drop(unheard, again=True)
        gone = watching.lost(queued, jobs, known, time.time(), patience)
        again = self._patience.after(joined - self._seen, gone)
        self._seen |= joined
        await self._drop(gone, again)
        return refused + unheard + gone

    async def _drop(self, gone: list[watching.Lost], again: bool) -> None:
        for one in gone:
            if one.worker not in self.workers:  # scaled down meanwhile
                continue
            job: CondorJob = self.workers.pop(one.worker)
            wanted = self.worker_spec.pop(one.worker, None) is not None
            if wanted and again:
                # Another name: the scheduler may still have the old worker under its own.
                self._i += 1
                self.worker_spec.update(self.new_worker_spec())
            _log.log(logging.WARNING if again else logging.ERROR, _REPLACED if again else _GIVEN_UP, *astuple(one))
            await job.close()
        if gone and again:
            await self._correct_state()

    def _death_timeout(self) -> Any:
        return self._job_kwargs.get("death_timeout") or dask.config.get("jobqueue.htcondor.death-timeout")

    def _clusters(self) -> set[int]:
        return {worker.id.cluster for worker in self.workers.values() if worker.id}

    def _get_worker_security(self, security: Security | None) -> Security | None:
        # The base class would leave the key in the working directory, and name it in every job's arguments.
        return self._credentials.security if self._credentials else None

    def _update_worker_status(self, op: str, msg: Any) -> None:
        # SpecCluster takes a worker that was away for 15 s for lost and ends its job; here HTCondor starts it again.
        AnyCluster._update_worker_status(self, op, msg)

    async def _start(self) -> None:
        await super()._start()
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_watching())

    async def _keep_watching(self) -> None:
        while self.status is Status.running:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.replace_lost()
            except PoolUnavailable as error:
                _log.warning("Workers cannot be looked after at the moment: %s", error)
            except Exception:
                _log.exception("Lost workers were not replaced")

    async def _close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        try:
            await super()._close()
        finally:
            if self.status is Status.closed:
                if isinstance(self._asked, PoolApart):
                    await self._asked.close()
                if self._credentials:
                    self._credentials.clear()


_REPLACED = "Worker %s is replaced: %s"
_GIVEN_UP = "Worker %s is given up: %s"


def _look(clusters: tuple[int, ...], pool: Pool) -> list[Job]:
    where = " || ".join(f"ClusterId == {cluster}" for cluster in sorted(clusters)) or "false"
    return pool.jobs(where, access_points=[ACCESS_POINT]) if clusters else []


def _look_round(clusters: tuple[int, ...], pool: Pool) -> tuple[list[Job], list[Slot], list[Addable]]:
    return _look(clusters, pool), pool.slots(), pool.addable()


def _know_the_pools_values() -> None:
    """What `DASK_CONFIG` gives a plain HTCondorCluster, below whatever the user set himself."""
    text = (shipped("submit_templates") / "dask-jobqueue.yaml").read_text()
    dask.config.update_defaults(yaml.safe_load(text))
