"""The hub under test: on a private pool of its own, with people who may sign in, and batch on its devices if wanted."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mlinfn_condor.bench import acts
from mlinfn_condor.bench.client import Client
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import distribution
from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR, Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.embedded.servers import SERVER1, SERVER2
from mlinfn_condor.errors import Timeout
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.node.description import Node
from mlinfn_condor.settings import Settings

POOL = "spawn"
BATCH_USER = "trainer"
PROJECTS = ("alpha", "beta")
FULL_SECONDS = 120
LEAVE_SECONDS = 5
"""What a displaced batch job takes to save its state. JupyterLab starts meanwhile."""
LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Plan:
    """The pool and hub that a case wants."""

    people: int
    nodes: tuple[Node, ...] = (SERVER1, SERVER2)
    batch: int = 0
    """GPUs that batch holds before anybody clicks; as many jobs again are queued behind them."""
    stand_in: bool = False
    """Whether sessions are small servers that only answer, instead of JupyterLab."""
    overrides: str = ""
    """HTCondor configuration that comes last."""

    @property
    def names(self) -> tuple[str, ...]:
        """Who may sign in."""
        return tuple(f"u{number:03}" for number in range(1, self.people + 1))


@dataclass(frozen=True)
class HubStand:
    """The running hub, and a look at its pool."""

    hub: RunningHub
    pool: RunningPool
    plan: Plan
    administrator: Client
    report: Report

    def wait_until_full(self) -> None:
        """Until batch holds as many GPUs as planned, and no session any. Raises Timeout."""
        deadline = time.monotonic() + FULL_SECONDS
        while (seen := self.holders()) != [(PriorityClass.BATCH, False)] * self.plan.batch:
            if time.monotonic() > deadline:
                raise Timeout(f"{len(seen)} slots were taken after {FULL_SECONDS} s, not {self.plan.batch} by batch")
            time.sleep(LOOK_SECONDS)

    def holders(self) -> list[tuple[PriorityClass | None, bool]]:
        """Class of the job in each claimed slot (None: no job in it yet), and whether that was told to go."""
        claimed = self.administrator.call(acts.claimed).result
        return [(priority_class, leaving) for _, priority_class, leaving in claimed]

    def devices_of_sessions(self) -> set[str]:
        """Devices that sessions hold, each once."""
        claimed = self.administrator.call(acts.claimed).result
        return {device for device, held_by, _ in claimed if device and held_by is PriorityClass.INTERACTIVE}


@contextmanager
def hub_stand(home: Path, report: Report, plan: Plan) -> Iterator[HubStand]:
    """Bring pool and hub up; afterwards nothing of them is left."""
    distribution.ensure(Settings(), report)
    settings = Settings(home=home, pool=POOL)
    _share_proxy(home)
    overrides = plan.overrides + (_stand_in(home) if plan.stand_in else "")
    people: dict[str, tuple[str, ...]] = {
        name: (PROJECTS[place % len(PROJECTS)],) for place, name in enumerate(plan.names)
    }
    people |= {BATCH_USER: PROJECTS}
    blueprint = Blueprint(nodes=plan.nodes, people=people, use_real_devices=False, overrides=overrides)
    pool = pools.up(settings, report, blueprint)
    clients = []
    try:
        clients = [_client(pool, name) for name in (ADMINISTRATOR, BATCH_USER)]
        stand = HubStand(lifecycle.up(settings, report), pool, plan, clients[0], report)
        if plan.batch:
            with report.step(f"fill {plan.batch} GPUs with batch"):
                _fill(pool, clients[1], plan.batch)
                stand.wait_until_full()
        yield stand
    finally:
        for client in clients:
            client.close()
        pools.down(settings, graceful_seconds=0)
        shutil.rmtree(pool.layout.folder, ignore_errors=True)


def _fill(pool: RunningPool, client: Client, devices: int) -> None:
    folder = pool.layout.folder / "payloads"
    folder.mkdir()
    description = acts.payload(PriorityClass.BATCH, folder, run_seconds=1e6, leave=LEAVE_SECONDS, count=2 * devices)
    client.call(acts.submit_payload, description, PriorityClass.BATCH.access_point)


def _stand_in(home: Path) -> str:
    """Sessions run `python`: the one that stands in is found first."""
    folder = home / "stand-in"
    folder.mkdir(exist_ok=True)
    script, program = folder / "python", Path(__file__).parent / "payloads" / "stand_in.py"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {program} {version("jupyterhub")} "$@"\n')
    script.chmod(0o755)
    return f"\nMLINFN_JOB_PATH = {folder}:{Path(sys.executable).parent}:/usr/bin:/bin\n"


def _share_proxy(home: Path) -> None:
    """The user's own copy of the hub's proxy, installed if it is not there."""
    own = Settings().home / "proxy"
    own.mkdir(parents=True, exist_ok=True)
    if not (home / "proxy").exists():
        (home / "proxy").symlink_to(own.absolute())


def _client(pool: RunningPool, user: str) -> Client:
    known = pool.environment(user)
    return Client(known | {"MLINFN_USER_HOME": known.get("MLINFN_USER_HOME", str(pool.layout.homes / user))})
