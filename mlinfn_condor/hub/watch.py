"""The hub's one view of the pool: one query an interval for all users, shared by all.

HTCondor's bindings hold up a whole process, so they have two of their own: one asks the access point, one the
collector. A collector that hangs delays no session, and neither delays a page.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator
from operator import methodcaller
from typing import Any, Protocol

from traitlets import Float, Integer, Unicode
from traitlets.config import SingletonConfigurable

from mlinfn_condor.errors import JobNotFound, MlinfnError, PoolUnavailable
from mlinfn_condor.hub import sessions
from mlinfn_condor.hub.sessions import ACCESS_POINT, ATTRIBUTES, Life, Look
from mlinfn_condor.pool import Job, JobId, Pool
from mlinfn_condor.pool.apart import Asked, PoolApart
from mlinfn_condor.submission.snapshot import Snapshot

_FRESH_SECONDS = 0.5
_ANSWER_SECONDS = 5


class Server(Protocol):
    """A server of the hub that stands for a session: a spawner."""

    @property
    def owner(self) -> tuple[str, str]:
        """User, and name of the server."""

    async def ended(self) -> None:
        """Called once when the session is gone."""

    async def moved(self) -> None:
        """Called when the session was started again, on this or another node."""


class PoolWatch(SingletonConfigurable):
    """What the hub knows of the pool. One for each hub process: `PoolWatch.instance()`."""

    hub_name = Unicode(
        "hub",
        help="Name that the hub's sessions carry in the queue, by which it finds them again. Two hubs on one pool need "
        "two names: each removes sessions of its name that it does not know.",
    ).tag(config=True)
    interval_seconds = Float(10.0, help="Between two looks at the queue while nobody waits for a session.").tag(
        config=True
    )
    waiting_interval_seconds = Float(0.5, help="Between two looks while somebody waits for one.").tag(config=True)
    snapshot_seconds = Float(2.0, help="How old a picture of the slots may be that a page shows.").tag(config=True)
    orphan_seconds = Integer(
        180, help="After so long a session in the queue that no server of the hub stands for is removed."
    ).tag(config=True)

    def __init__(self, queue: Asked | None = None, slots: Asked | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._queue, self._slots = queue or PoolApart(), slots or PoolApart()
        self._look, self._looked = Look(), asyncio.Event()
        self._claimed: dict[JobId, tuple[float, Server]] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._waiting = 0
        self._running: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._snapshot: asyncio.Future[Snapshot | None] | None = None
        self._snapshot_asked = 0.0
        self._latest_snapshot: Snapshot | None = None
        self._started = time.monotonic()
        self.queries = 0
        """Looks at the queue so far."""

    @property
    def look(self) -> Look:
        """The latest look at the queue."""
        return self._look

    def start(self) -> None:
        """Begin to look, unless it has begun; needs a running event loop."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._look_for_ever())

    async def submit(self, submit: Callable[[Pool], JobId]) -> JobId:
        """Run a submit; it is pickled on its way."""
        return await self._queue.ask(submit)

    async def remove(self, job: JobId, reason: str) -> None:
        """Remove a session from the queue; one that has left already is no mistake. Raises PoolUnavailable."""
        with contextlib.suppress(JobNotFound):
            await self._queue.ask(methodcaller("remove", job, reason))

    async def ending(self, job: JobId) -> Job | None:
        """How a session ended that has left the queue; None when the history does not tell."""
        try:
            found: list[Job] = await self._queue.ask(methodcaller("history", job.constraint, (), [ACCESS_POINT], 1))
        except PoolUnavailable:
            return None
        return found[0] if found else None

    @property
    def servers(self) -> dict[JobId, tuple[str, str]]:
        """User and server name of each session that a server of the hub stands for."""
        return {job: server.owner for job, (_, server) in self._claimed.items()}

    def claim(self, job: JobId, server: Server) -> None:
        """A server of the hub stands for this job from now on."""
        self._claimed[job] = (time.monotonic(), server)
        self.start()

    def release(self, job: JobId) -> None:
        """No server stands for it any more."""
        self._claimed.pop(job, None)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While somebody waits for a session the queue is looked at more often."""
        self._waiting += 1
        self._wake.set()
        self.start()
        try:
            yield
        finally:
            self._waiting -= 1

    async def next_look(self, seconds: float) -> None:
        """Return after the next look at the queue, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._looked.wait(), seconds)

    async def a_look_after(self, moment: float, seconds: float) -> Look:
        """The first look begun after `moment` (monotonic seconds). Raises PoolUnavailable after `seconds`."""
        deadline = time.monotonic() + seconds
        with self.waiting():
            while self._look.asked <= moment:
                if time.monotonic() > deadline:
                    raise PoolUnavailable(f"access point {ACCESS_POINT} does not answer: try again in a minute")
                await self.next_look(1)
        return self._look

    async def snapshot(self) -> Snapshot | None:
        """The latest picture of slots and sessions, at once; a newer one is asked for behind it. None: none is known.

        Only the first one is waited for. Any number of open pages cost one question every few seconds.
        """
        if self._snapshot is None:
            return await self.fresh_snapshot()
        if self._snapshot_is_older_than(self.snapshot_seconds):
            self._snapshot = self._begin_snapshot()
        return self._latest_snapshot

    async def fresh_snapshot(self) -> Snapshot | None:
        """A picture asked for half a second ago at most; None while the pool does not answer."""
        if self._snapshot is None or self._snapshot_is_older_than(_FRESH_SECONDS):
            self._snapshot = self._begin_snapshot()
        # A collector that hangs may take minutes to be given up; nobody's page waits for that.
        asked = self._snapshot  # in the meantime somebody else may begin a newer one
        answered, _ = await asyncio.wait({asked}, timeout=_ANSWER_SECONDS)
        return asked.result() if answered else None

    def _snapshot_is_older_than(self, seconds: float) -> bool:
        done = self._snapshot is None or self._snapshot.done()
        return done and time.monotonic() - self._snapshot_asked > seconds

    def _begin_snapshot(self) -> asyncio.Future[Snapshot | None]:
        self._snapshot_asked = time.monotonic()
        return asyncio.ensure_future(self._take_snapshot())

    async def _take_snapshot(self) -> Snapshot | None:
        try:
            self._latest_snapshot = await self._slots.ask(Snapshot.of_sessions)
        except MlinfnError as error:
            self.log.warning("The pool's slots are not known at the moment: %s", error)
            self._latest_snapshot = None
        return self._latest_snapshot

    async def _look_for_ever(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._look_once(began)
            except MlinfnError as error:
                # What we knew stays what we know: running sessions go on, and none is taken for gone.
                self.log.warning("The queue of %s is not known at the moment: %s", ACCESS_POINT, error)
            except Exception:
                self.log.exception("A look at the queue failed")
            self._looked.set()
            self._looked = asyncio.Event()
            await self._pause(began)

    async def _pause(self, began: float) -> None:
        interval = self.waiting_interval_seconds if self._waiting else self.interval_seconds
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(0.05, began + interval - time.monotonic()))

    async def _look_once(self, began: float) -> None:
        self.queries += 1
        wanted = sessions.constraint(self.hub_name)
        jobs: list[Job] = await self._queue.ask(methodcaller("jobs", wanted, ATTRIBUTES, [ACCESS_POINT]))
        before, self._look = self._look, Look({job.id: job for job in jobs}, began)
        for job, (since, server) in list(self._claimed.items()):
            if self._look.life(job, since) is Life.GONE:
                del self._claimed[job]
                self._begin(server.ended())
            elif sessions.started_again(before.jobs.get(job), self._look.jobs.get(job)):
                self._begin(server.moved())
        if time.monotonic() - self._started > self.orphan_seconds:
            now = int(time.time())
            for orphan in sessions.orphans(self._look, set(self._claimed), now, self.orphan_seconds):
                self.log.warning("No server stands for session %s: it is removed", orphan)
                await self.remove(orphan, "the hub lost this session while it was starting or stopping")

    def _begin(self, task: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(begun := asyncio.ensure_future(task))
        begun.add_done_callback(self._tasks.discard)
