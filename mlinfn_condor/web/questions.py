"""Questions to the pool, put in its own process: what travels back is what is shown, not thousands of ads."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from mlinfn_condor.errors import JobNotFound, JobRefused
from mlinfn_condor.pool import Job, JobId, Pool, Slot, find_job
from mlinfn_condor.pool.ads import text
from mlinfn_condor.submission.snapshot import Snapshot
from mlinfn_condor.submission.why import Answer
from mlinfn_condor.submission.why import why as explained
from mlinfn_condor.web.busy import Meter
from mlinfn_condor.web.picture import Picture, picture
from mlinfn_condor.web.waiting import Queue, queue

DESCRIBE_SECONDS = 300
"""Whole ads, which describe the devices, are read so seldom, and when a device shows up that none describes."""
EVERY = 'PartitionableSlot is true || State != "Unclaimed"'
LOG_FILES = {"output": "Out", "errors": "Err", "events": "UserLog"}
STOPPED = "stopped by its owner on the pool's page"


@dataclass
class _Memory:
    """What is kept between two questions to one pool."""

    meter: Meter = field(default_factory=Meter)
    described: Mapping[str, Slot] = field(default_factory=dict)
    described_at: float = float("-inf")
    snapshot: Snapshot | None = None


_MEMORIES: "WeakKeyDictionary[Pool, _Memory]" = WeakKeyDictionary()


def look_at_nodes(pool: Pool) -> Picture:
    """Slots, devices and counts: questions to the collector alone. Raises PoolUnavailable."""
    memory, began = _memory(pool), time.thread_time()
    slots = pool.slots(EVERY, ["DeviceReadings"])
    described = _described(pool, slots, memory)
    seen = picture([*described, *slots], pool.submitters(), memory.meter.busy, time.time())
    return replace(seen, cpu_seconds=time.thread_time() - began)


def look_at_queue(pool: Pool) -> Queue:
    """The one question to the schedds. What `explain` needs is kept. Raises PoolUnavailable."""
    memory, began = _memory(pool), time.thread_time()
    memory.snapshot = Snapshot.take(pool)
    seen = queue(memory.snapshot, memory.snapshot.now)
    return replace(seen, cpu_seconds=time.thread_time() - began)


def explain(pool: Pool, job: JobId) -> Answer:
    """Why a job does not run, from the last look at the queues: nobody is asked. Raises JobNotFound."""
    snapshot = _memory(pool).snapshot
    if snapshot is None:
        look_at_queue(pool)
        snapshot = _memory(pool).snapshot
    if snapshot is None or snapshot.job(job) is None:
        raise JobNotFound(f"{job} was not in the queue at the last look: it has ended, or is too new; look again soon")
    return explained(snapshot, job)


def files_of(pool: Pool, job: JobId, user: str) -> dict[str, str]:
    """Paths of what the user's own job writes, by kind. Raises JobRefused for another's, JobNotFound."""
    found = own(pool, job, user)
    folder = text(found.ad, "Iwd")
    named = {kind: text(found.ad, attribute) for kind, attribute in LOG_FILES.items()}
    return {
        kind: name if name.startswith("/") else f"{folder}/{name}"
        for kind, name in named.items()
        if name and name != "/dev/null"
    }


def stop(pool: Pool, job: JobId, user: str) -> None:
    """Take the user's own job out of the queue; it has its window. JobRefused for another's, JobNotFound."""
    own(pool, job, user)
    pool.remove(job, STOPPED)


def own(pool: Pool, job: JobId, user: str) -> Job:
    """The job, if it is this user's. Raises JobNotFound, JobRefused."""
    found = find_job(pool, job, [*LOG_FILES.values()])
    if found.user != user:
        raise JobRefused(f"{job} is not yours")
    return found


def _described(pool: Pool, slots: list[Slot], memory: _Memory) -> list[Slot]:
    known = {device.id for slot in memory.described.values() for device in slot.devices}
    unknown = any(device not in known for slot in slots for device in slot.assigned)
    now = time.monotonic()
    age = now - memory.described_at
    # A device that nobody ever describes must not bring whole ads with every look.
    if age > DESCRIBE_SECONDS or (unknown and age > DESCRIBE_SECONDS / 10) or not memory.described:
        memory.described = {slot.name: _slim(slot) for slot in pool.slots("PartitionableSlot is true")}
        memory.described_at = now
    there = {slot.name for slot in slots}
    return [slot for name, slot in memory.described.items() if name in there and slot.devices]


def _slim(slot: Slot) -> Slot:
    """Only its name and devices: the rest of it is read anew with every look."""
    return Slot.from_ad({"Name": slot.name} | {k: v for k, v in slot.ad.items() if isinstance(v, dict) and "Id" in v})


def _memory(pool: Pool) -> _Memory:
    return _MEMORIES.setdefault(pool, _Memory())
