"""The window over a pool in memory, served at a port of loopback, with a door that believes a cookie."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from asked import InThread
from fastapi import FastAPI
from starlette.responses import Response

from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.store import StoreError
from mlinfn_condor.web.administration import Places
from mlinfn_condor.web.application import application
from mlinfn_condor.web.hands import OwnHands
from mlinfn_condor.web.person import Person
from mlinfn_condor.web.settings import WebSettings
from mlinfn_condor.web.window import Window, window

QUICK = {"look_seconds": 0.1, "queue_seconds": 0.2, "look_percent": 50, "linger_seconds": 5, "patience_seconds": 20}
MODELS = (("A100", 4), ("T4", 2))


class CountingPool(TwinPool):
    """Counts what it is asked."""

    def __init__(self, *arguments, **named) -> None:
        super().__init__(*arguments, **named)
        self.asked: Counter[str] = Counter()
        self.away: Exception | None = None
        self.queues_away: Exception | None = None
        self._own = threading.local()

    def slots(self, constraint="true", attributes=None):
        self._note("slots")
        return super().slots(constraint, attributes)

    def jobs(self, *arguments, **named):
        if getattr(self._own, "counts", False):
            return super().jobs(*arguments, **named)
        self._note("jobs")
        if self.queues_away:
            raise self.queues_away
        return super().jobs(*arguments, **named)

    def submitters(self):
        self._note("submitters")
        self._own.counts = True  # the twin asks itself for jobs: in this thread, while others are asked in theirs
        try:
            return super().submitters()
        finally:
            self._own.counts = False

    def change(self, name: str, **ad) -> None:
        """What a startd advertises of this slot from now on; None: not any more."""
        self._slots = [one | ad if one["Name"] == name else one for one in self._slots]

    def drop(self, name: str) -> None:
        self._slots = [one for one in self._slots if one["Name"] != name]

    def _note(self, what: str) -> None:
        self.asked[what] += 1
        if self.away and what != "jobs":
            raise self.away


@dataclass
class Stand:
    url: str
    pool: CountingPool
    window: Window
    app: FastAPI


class CookieDoor:
    """Everybody is whom his cookie says; `boss` administers."""

    hub = ""

    def person(self, request):
        name = request.cookies.get("test-user", "")
        return Person(name, name == "boss", f"session of {name}") if name else None

    def turn_away(self, request):
        return Response("sign in", 401)

    def came_back(self, request):
        return Response("", 404)


def reading(device: str, model: str, at: int, busy: float, measured: float, watts: float = 250, **more) -> dict:
    return {
        "Id": device, "Model": model, "At": at, "CounterStart": 1, "BusySeconds": busy, "MeasuredSeconds": measured,
        "PowerWatts": watts, "Health": "ok",
    } | more  # fmt: skip


def node_ads(node: str, model: str = "A100", count: int = 4, at: int = 100, busy: float = 0.0) -> list[dict]:
    """Primary and backfill slot of one node."""
    ids = [f"GPU-{node}-{number}" for number in range(count)]
    described = {f"GPUs_{one.replace('-', '_')}": {"Id": one, "DeviceModel": model, "Simulated": True} for one in ids}
    base = {
        "PartitionableSlot": True, "State": "Unclaimed", "Cpus": 20, "TotalSlotCpus": 32, "Memory": 100_000,
        "AssignedGPUs": ",".join(ids), **described,
    }  # fmt: skip
    readings = [reading(one, model, at, busy, 50.0) for one in ids]
    primary = base | {"Name": f"slot1@{node}@host", "MlinfnOffer": "session", "DeviceReadings": readings}
    return [primary, base | {"Name": f"slot5@{node}@host", "MlinfnOffer": "opportunistic"}]


def claim(node: str, number: int, priority_class: str, user: str = "bob", **ad) -> dict:
    """A dynamic slot that has device `number` of the node."""
    side, offer = ("slot1", "session") if priority_class == "interactive" else ("slot5", "opportunistic")
    point = "interactive" if priority_class == "interactive" else "batch"
    return {
        "Name": f"{side}_{number}@{node}@host", "State": "Claimed", "MlinfnOffer": offer, "Cpus": 4, "Memory": 8000,
        "AssignedGPUs": f"GPU-{node}-{number}", "GlobalJobId": f"{point}@#{number + 1}.0#1",
        "RemoteOwner": f"{user}@twin",
        "PriorityClass": priority_class, "Project": "alpha", "JobStart": 1_000_000, "EnteredCurrentState": 1_000_000,
        "JobMaxVacateTime": 30, "MachineMaxVacateTime": 120,
    } | ad  # fmt: skip


def submit(pool: CountingPool, user: str = "alice", **ad) -> object:
    """A batch job in the queue."""
    pool.user = user
    given = {"PriorityClass": "batch", "Project": "alpha"} | ad
    lines = [f"+{name} = {_literal(value)}" for name, value in given.items()]
    return pool.submit("executable = /bin/true\nrequest_cpus = 2\n" + "\n".join(lines) + "\nqueue\n", "batch@")


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def no_database() -> str:
    raise StoreError("no database in this test")


@contextmanager
def stand(
    slots: Sequence[dict],
    *,
    dsn: Callable[[], str] = no_database,
    places: Places = Places(),
    home_of: Callable[[str], Path] | None = None,
    door: object | None = None,
    pool: CountingPool | None = None,
    **settings,
) -> Iterator[Stand]:
    pool = pool or CountingPool(slots)
    asked = InThread(pool)
    given = WebSettings(**{**QUICK, **settings})
    made = window(given, door or CookieDoor(), OwnHands(asked), dsn, places, home_of=home_of, pools=(asked, asked))
    listening = socket.create_server(("127.0.0.1", 0))
    app = application(made)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield Stand(f"http://127.0.0.1:{listening.getsockname()[1]}/", pool, made, app)
    finally:
        server.should_exit = True
        thread.join(10)
        made.of_queues.close()
