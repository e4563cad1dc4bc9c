"""A large pool that stands in for a real one, served by the window at a port: `python -m … NODES JOBS`.

Ads are kept as HTCondor's bindings hand them out, and turned into ours at each question as with a real pool; what is
missing is the wire, and the daemons at its other end. Questions are counted.
"""

import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import uvicorn

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Job, Pool, Priority, Slot, Submitter
from mlinfn_condor.pool.bindings import classad2, plain
from mlinfn_condor.pool.jobs import JOB_ATTRIBUTES
from mlinfn_condor.pool.protocol import ACCESS_POINTS
from mlinfn_condor.pool.slots import SLOT_ATTRIBUTES
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.store import StoreError
from mlinfn_condor.web.administration import Places
from mlinfn_condor.web.application import application
from mlinfn_condor.web.hands import OwnHands
from mlinfn_condor.web.person import SecretDoor
from mlinfn_condor.web.settings import WebSettings
from mlinfn_condor.web.window import window

T = TypeVar("T")
MODELS, DEVICES, PROJECTS, PEOPLE = ("A100", "A30", "T4"), 4, 10, 50
REPORT_SECONDS = 30
"""Monitors report so often; which device is how busy is new in each report."""
CHANGES_A_LOOK = 0.01
"""Part of the devices that change hands between two looks."""
REST = {f"Attribute{number}": number for number in range(120)}
"""A startd tells much more than anybody reads here, and whole ads cost all the same."""


class StandIn(TwinPool):
    """Answers from ads that it has; a part of them changes by itself."""

    def __init__(self, nodes: int, jobs: int) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self._random = random.Random(20_000)  # noqa: S311 - seeded: the same pool each time
        self._nodes = [f"node{number:03}" for number in range(nodes)]
        self._reported: dict[str, tuple[int, float]] = {}
        self._holders: dict[tuple[str, int], tuple[str, int]] = {}
        self._whole = [ad for name in self._nodes for ad in self._partitionable(name, whole=True)]
        made = classad2().ClassAd
        self._jobs = [made({name: ad[name] for name in JOB_ATTRIBUTES if name in ad}) for ad in self._made_up(jobs)]
        for name in self._nodes:
            for device in range(DEVICES):
                self._holders[name, device] = self._somebody()

    def slots(self, constraint: str = "true", attributes: Sequence[str] | None = None) -> list[Slot]:
        """See Pool."""
        self.asked["slots"] += 1
        if constraint == "PartitionableSlot is true":
            return [Slot.from_ad(plain(ad)) for ad in self._whole]
        for key in self._random.sample(sorted(self._holders), int(CHANGES_A_LOOK * len(self._holders))):
            self._holders[key] = self._somebody()
        ads = [self._dynamic(*key) for key in self._holders if self._holders[key][0]]
        if constraint != "PartitionableSlot isnt true":
            ads += [ad for name in self._nodes for ad in self._partitionable(name, whole=False)]
        made = classad2().ClassAd
        return [Slot.from_ad(plain(made(ad))) for ad in ads]

    def jobs(
        self,
        constraint: str = "true",
        attributes: Sequence[str] = (),
        access_points: Sequence[str] = ACCESS_POINTS,
    ) -> list[Job]:
        """See Pool."""
        self.asked["jobs"] += 1
        return [Job.from_ad(PriorityClass.BATCH.access_point, plain(ad)) for ad in self._jobs]

    def priorities(self) -> list[Priority]:
        """See Pool."""
        self.asked["priorities"] += 1
        return []

    def submitters(self) -> list[Submitter]:
        """See Pool."""
        self.asked["submitters"] += 1
        names = (f"group_batch.project{p}.user{u}@site" for p in range(PROJECTS) for u in range(PEOPLE // PROJECTS))
        return [Submitter(name, "batch@", len(self._jobs) // PEOPLE, 8, 0) for name in names]

    def _partitionable(self, node: str, *, whole: bool) -> Iterator[Any]:
        ids = [f"GPU-{node}-{number}" for number in range(DEVICES)]
        model = MODELS[int(node[4:]) % len(MODELS)]
        told = {name: 1 for name in SLOT_ATTRIBUTES if name.startswith(("Disk", "Total"))}
        base: dict[str, Any] = told | {
            "PartitionableSlot": True, "State": "Unclaimed", "Cpus": 20, "TotalSlotCpus": 64, "Memory": 100_000,
            "TotalSlotMemory": 500_000, "AssignedGPUs": ",".join(ids), "Machine": f"{node}.site",
        }  # fmt: skip
        if whole:
            base |= REST
            base |= {f"GPUs_{one.replace('-', '_')}": {"Id": one, "DeviceModel": model} for one in ids}
        for slot, offer in (("slot1", "session"), ("slot5", "opportunistic")):
            ad = base | {"Name": f"{slot}@{node}@site", "MlinfnOffer": offer}
            if offer == "session":
                ad["DeviceReadings"] = [self._reading(node, one, model, number) for number, one in enumerate(ids)]
            yield classad2().ClassAd(ad) if whole else ad

    def _reading(self, node: str, device: str, model: str, number: int) -> dict[str, Any]:
        at = int(time.time() + hash(node) % REPORT_SECONDS) // REPORT_SECONDS * REPORT_SECONDS
        before, busy = self._reported.get(device, (at, 0.0))
        if at != before:
            busy += (at - before) * self._random.random()
        self._reported[device] = (at, busy)
        return {
            "Id": device, "Model": model, "At": at, "CounterStart": 1, "BusySeconds": busy, "MeasuredSeconds": at,
            "PowerWatts": 100 + 10 * (at // REPORT_SECONDS + number) % 150, "Health": "ok",
        }  # fmt: skip

    def _dynamic(self, node: str, device: int) -> dict[str, Any]:
        kind, number = self._holders[node, device]
        side, offer = ("slot1", "session") if kind == "interactive" else ("slot5", "opportunistic")
        point = "interactive" if kind == "interactive" else "batch"
        told = {name: 1 for name in SLOT_ATTRIBUTES if name.startswith(("Disk", "Total"))}
        return told | {
            "Name": f"{side}_{device + 1}@{node}@site", "State": "Claimed", "MlinfnOffer": offer, "Cpus": 8,
            "Memory": 9000,
            "AssignedGPUs": f"GPU-{node}-{device}", "GlobalJobId": f"{point}@#{number}.0#1", "PriorityClass": kind,
            "RemoteOwner": f"user{number % PEOPLE}@site", "Project": f"project{number % PROJECTS}",
            "JobStart": 1_700_000_000 + number, "EnteredCurrentState": 1_700_000_000, "JobMaxVacateTime": 30,
            "MachineMaxVacateTime": 120, "Machine": f"{node}.site",
        }  # fmt: skip

    def _somebody(self) -> tuple[str, int]:
        kind = self._random.choice(("batch", "batch", "batch", "dask", "interactive", ""))
        return kind, self._random.randrange(1, 20_000)

    def _made_up(self, jobs: int) -> Iterable[dict[str, Any]]:
        now = int(time.time())
        for number in range(jobs):
            user, project = f"user{number % PEOPLE}", f"project{number % PROJECTS}"
            yield {
                "ClusterId": number + 1, "ProcId": 0, "JobStatus": 1, "Owner": user, "User": f"{user}@site",
                "PriorityClass": "batch", "Project": project, "AccountingGroup": f"group_batch.{project}.{user}",
                "RequestCpus": 4, "RequestMemory": 8000, "RequestGPUs": 1, "EnteredCurrentStatus": now - number,
                "RequireGPUs": f'DeviceModel == "{MODELS[number % len(MODELS)]}"', "QDate": now - number,
                "Iwd": f"/home/{user}/work", "UserLog": "log", "NumJobStarts": 0, "RequestDisk": 1024, "JobPrio": 0,
            }  # fmt: skip


class InThread:
    """Questions in a thread of this process, whose time is counted with it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ask(self, question: Any) -> Any:
        """See Asked."""
        import asyncio

        return await asyncio.to_thread(question, self._pool)


def _no_database() -> str:
    raise StoreError("no database here")


def main() -> None:
    """Serve until killed; prints the port and the secret of the door."""
    pool = StandIn(int(sys.argv[1]), int(sys.argv[2]))
    asked, door = InThread(pool), SecretDoor("user1")
    made = window(WebSettings(), door, OwnHands(asked), _no_database, Places(), pools=(asked, asked))
    app = application(made)
    app.add_api_route("/asked", lambda: dict(pool.asked))
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]} {door.secret}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()
