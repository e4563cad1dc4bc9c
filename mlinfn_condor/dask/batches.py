"""Workers go to the pool together: those that are asked for in one turn of the event loop are one submit.

A submit costs the access point a transaction and a look at its policy, whatever the number of jobs in it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Generic, TypeVar

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import JobNotFound
from mlinfn_condor.pool import JobId, Pool
from mlinfn_condor.pool.apart import Asked

Item = TypeVar("Item")
Answer = TypeVar("Answer")

WORKER = "worker"
"""Macro of the submit description that holds the worker's name."""
ACCESS_POINT = PriorityClass.DASK.access_point
REMOVE_AT_ONCE = 50
"""Removals are one command each, and a question to the pool has to be answered within seconds."""
REASON = "its Dask cluster does not need it any more"


class Batches:
    """The way of one cluster's workers into the queue and out of it."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._submits: Gathered[str, str, JobId] = Gathered(self._submit)
        self._removals: Gathered[None, JobId, None] = Gathered(self._remove)

    async def submit(self, description: str, worker: str) -> JobId:
        """Queue a worker, in one cluster with all others of this turn and description. Raises JobRefused for each."""
        return await self._submits.add(description, worker)

    async def remove(self, job: JobId) -> None:
        """Take a worker out of the queue; one that is not there any more is no error."""
        await self._removals.add(None, job)

    async def _submit(self, description: str, workers: Sequence[str]) -> list[JobId]:
        first = await self._asked.ask(partial(queue, description, tuple(workers)))
        return [JobId(first.access_point, first.cluster, first.proc + place) for place in range(len(workers))]

    async def _remove(self, _: None, jobs: Sequence[JobId]) -> list[None]:
        for start in range(0, len(jobs), REMOVE_AT_ONCE):
            await self._asked.ask(partial(dequeue, tuple(jobs[start : start + REMOVE_AT_ONCE])))
        return [None] * len(jobs)


K = TypeVar("K", bound=Hashable | None)


class Gathered(Generic[K, Item, Answer]):
    """Calls of one turn of the event loop that have the same key, done as one."""

    def __init__(self, together: Callable[[K, Sequence[Item]], Awaitable[Sequence[Answer]]]) -> None:
        self._together = together
        self._waiting: dict[K, list[tuple[Item, asyncio.Future[Answer]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, key: K, item: Item) -> Answer:
        """What came of `item`; if the joint call fails, each of its callers gets its error."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if key not in self._waiting:
            self._waiting[key] = []
            task = asyncio.create_task(self._go(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._waiting[key].append((item, future))
        return await future

    async def _go(self, key: K) -> None:
        await asyncio.sleep(0)  # the others of this turn
        waiting = self._waiting.pop(key)
        try:
            answers = await self._together(key, [item for item, _ in waiting])
        except Exception as error:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(waiting, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def queue(description: str, workers: Sequence[str], pool: Pool) -> JobId:
    """Ask the pool to queue these workers; the first one's job."""
    return pool.submit(description, ACCESS_POINT, [{WORKER: worker} for worker in workers])


def dequeue(jobs: Sequence[JobId], pool: Pool) -> None:
    """Ask the pool to remove these jobs."""
    for job in jobs:
        with contextlib.suppress(JobNotFound):
            pool.remove(job, REASON)
