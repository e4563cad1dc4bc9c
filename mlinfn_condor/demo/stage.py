"""The pool before the story begins: what it has, and nothing of an earlier story left in it."""

import shutil
from collections import Counter
from collections.abc import Iterable

from mlinfn_condor.demo.narrator import Narrator
from mlinfn_condor.demo.terminal import BATCH_NAME, Terminal
from mlinfn_condor.demo.waiting import wait_until
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import Device, DeviceKind, Pool
from mlinfn_condor.pool.ads import text
from mlinfn_condor.submission.devices import HeldDevice, Use, held_devices
from mlinfn_condor.submission.snapshot import Snapshot

OWN_JOBS = f'JobBatchName == "{BATCH_NAME}"'
STORY_JOBS = f"({OWN_JOBS} || MlinfnHub isnt undefined)"
"""With the session, which the hub submits."""
LEAVE_SECONDS = 60
FREE_SECONDS = 30


class PoolInUse(MlinfnError):
    """Others use the pool's GPUs, and the story would displace them."""


def devices(pool: Pool) -> list[HeldDevice]:
    """Every device, and who has it."""
    return held_devices(Snapshot.take(pool).slots)


def labels(held: Iterable[HeldDevice]) -> dict[str, str]:
    """How to call each device, by its id; a simulated one says so."""
    return {one.device.id: f"{one.device.model} of {one.node}{_simulated(one.device)}" for one in held}


def describe(pool: Pool, held: Iterable[HeldDevice], narrator: Narrator) -> None:
    """The nodes with their sizes and devices."""
    by_node: dict[str, Counter[str]] = {}
    for one in held:
        by_node.setdefault(one.node, Counter())[f"{one.device.model}{_simulated(one.device)}"] += 1
    whole = {
        slot.node: slot
        for slot in pool.slots("PartitionableSlot", ["MlinfnStandsFor"])
        if slot.offer == "opportunistic"
    }
    rows = [
        [
            node,
            text(whole[node].ad, "MlinfnStandsFor"),
            str(whole[node].total_cpus),
            f"{whole[node].total_memory_mb // 1024} GB",
            ", ".join(f"{count} {label}" for label, count in models.items()),
        ]
        for node, models in sorted(by_node.items())
    ]
    narrator.say("Its nodes; what is simulated is marked so, and this machine may have fewer cores and less memory:")
    narrator.table(["node", "stands for", "cores", "memory", "devices"], rows)


def clear(pool: Pool, users: Iterable[Terminal], narrator: Narrator) -> None:
    """Remove what an earlier story left, and nothing else. Raises PoolInUse if GPUs are not free after that."""
    if left := [job for job in pool.jobs(OWN_JOBS) if not job.state.final]:
        narrator.say(f"Removes {len(left)} jobs of an earlier demo")
        for job in left:
            pool.remove(job.id, "a new demo begins")
    wait_until(lambda: not pool.jobs(OWN_JOBS), LEAVE_SECONDS, "the jobs of the earlier demo are gone")
    for user in users:
        shutil.rmtree(user.folder, ignore_errors=True)
    wait_until(lambda: not busy(pool) or pool.jobs("JobStatus == 2"), FREE_SECONDS, "the GPUs are free")
    if others := busy(pool):
        raise PoolInUse(
            f"others use {len(others)} of the pool's GPUs: wait until they are free, or play it on a pool of its own "
            "with `mlinfn --pool demo2 demo`"
        )


def busy(pool: Pool) -> list[HeldDevice]:
    """GPUs that somebody has."""
    return [one for one in devices(pool) if one.device.kind is DeviceKind.GPU and one.use is not Use.FREE]


def _simulated(device: Device) -> str:
    return " (simulated)" if device.simulated else ""
