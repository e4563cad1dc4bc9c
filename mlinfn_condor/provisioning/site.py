"""A provisioner for a pool, put together from its settings: which back end, which journal, whose lock."""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.errors import BadRequest, EmbeddedPoolError
from mlinfn_condor.pool import Job, configured
from mlinfn_condor.pool.execution_points import RealExecutionPoints
from mlinfn_condor.pool.real import RealPool
from mlinfn_condor.provisioning import settings as reading
from mlinfn_condor.provisioning.backends import Backend
from mlinfn_condor.provisioning.backends.kubernetes import KubernetesSite, connect_to, open_backend, open_leader
from mlinfn_condor.provisioning.backends.local import LocalBackend
from mlinfn_condor.provisioning.backends.manual import ManualBackend
from mlinfn_condor.provisioning.growth import Growth
from mlinfn_condor.provisioning.journal import Journal
from mlinfn_condor.provisioning.leading import Both, FileLeader, Leader
from mlinfn_condor.provisioning.prospects import ProspectsFile
from mlinfn_condor.provisioning.reconcile import Provisioner
from mlinfn_condor.provisioning.rooms import Portions
from mlinfn_condor.provisioning.settings import Settings
from mlinfn_condor.provisioning.waiting import why_waiting
from mlinfn_condor.settings import Settings as PoolSettings
from mlinfn_condor.submission.why import Nodes

FIRST_SETTINGS = """\
# Nodes that this pool's provisioner may start: processes of this machine with simulated devices. Written once by
# `mlinfn glidein`, yours from then on; the next start of `mlinfn glidein run` reads it. docs/provisioning.md has all.
[kinds.t4]
device_kind = "gpu"
model = "T4"
devices = 2
cpus = 8
memory_mb = 32768
most = 4

[kinds.cpu]
cpus = 8
memory_mb = 16384
most = 2

[intervals]
loop_seconds = 2
idle_seconds = 60
"""


@dataclass(frozen=True)
class Site:
    """What a command about glideins needs."""

    provisioner: Provisioner
    leader: Leader
    settings_file: Path
    close: Callable[[], None] = lambda: None

    @property
    def settings(self) -> Settings:
        """What its settings say."""
        return self.provisioner.settings

    def says_of(self, job: Job) -> Nodes | None:
        """Whether nodes are added for an idle job, or why not; None when it waits for none."""
        if self.leader.leads():  # then nobody else does
            self.leader.resign()
            return Nodes("No provisioner runs that could add a node: `mlinfn glidein run` is one.", come=False)
        snapshot = self.provisioner.look()
        decided = self.provisioner.decide(snapshot)
        sentence = why_waiting(decided, job, snapshot.glideins, snapshot.now)
        fate = decided.fate(job)
        return Nodes(sentence, come=bool(fate and (fate.coming or fate.kept))) if sentence else None


def of(settings_file: Path, *, acting: bool = False) -> Site:
    """Of the pool that CONDOR_CONFIG leads to, with the settings in this file. `acting`: for the loop, which looks
    again and again; others look once. Raises BadRequest with every mistake.
    """
    settings = reading.read(settings_file)
    if settings.backend == "local":
        raise BadRequest(f"{settings_file}: backend local is the embedded pool's alone: choose kubernetes or manual")
    folder = settings.folder
    here = FileLeader(folder / "provisioner.lock")
    if settings.kubernetes is not None and settings.backend == "kubernetes":
        kube = connect_to(settings.kubernetes)
        # The machine's only one: when it was killed, the next one finds its own lease, and need not wait for its end.
        there = open_leader(settings.kubernetes, kube, me=socket.gethostname())
        backend = open_backend(settings.kubernetes, kube, leader=there if acting else None, watch=acting)
        return Site(_provisioner(settings, backend, folder), Both(here, there), settings_file, backend.close)
    told = {"collector": settings.collector or configured("COLLECTOR_HOST"), "domain": configured("UID_DOMAIN")}
    manual = ManualBackend(folder / "requests", told)
    return Site(_provisioner(settings, manual, folder), here, settings_file)


def cluster_of(settings_file: Path, kubeconfig: Path | None) -> tuple[Settings, KubernetesSite]:
    """What a selftest of a cluster needs; another kubeconfig than the settings' may be named. Raises BadRequest."""
    settings = reading.read(settings_file)
    if settings.kubernetes is None:
        raise BadRequest(f"{settings_file} has no table [kubernetes]: docs/kubernetes.md has what belongs there")
    changed = {"kubeconfig": kubeconfig} if kubeconfig else {}
    return settings, settings.kubernetes.model_copy(update=changed)


def beside_this_pool() -> Site | None:
    """Of the private pool of this machine, if that is the one spoken to, and it was ever given a provisioner."""
    try:
        running = lifecycle.running(PoolSettings())
    except EmbeddedPoolError:
        return None
    spoken_to = os.environ.get("CONDOR_CONFIG", str(running.layout.condor_config))
    if not running.layout.glidein_settings.exists() or spoken_to != str(running.layout.condor_config):
        return None
    return embedded(running, running.settings.user)


def embedded(running: RunningPool, user: str | None = ADMINISTRATOR) -> Site:
    """Of the private pool of this machine: its glideins are processes of the same account. Others than administrators
    may look, and do nothing.
    """
    layout = running.layout
    if not layout.glidein_settings.exists():
        layout.glidein_settings.write_text(FIRST_SETTINGS)
    settings = reading.read(layout.glidein_settings)
    if settings.backend == "kubernetes":
        raise BadRequest(f"{layout.glidein_settings}: pods cannot reach this pool: it listens on loopback alone")
    orders = _orders(running, settings)
    backend: Backend = LocalBackend(layout.glideins, orders)
    if settings.backend == "manual":
        told = ("COLLECTOR", "DOMAIN", "SITE")
        backend = ManualBackend(layout.glidein_requests, {name.lower(): orders[name] for name in told})
    prospects = ProspectsFile(layout.prospects, simulated=settings.backend == "local")
    provisioner = _provisioner(settings, backend, layout.log, running.environment(user), layout.growing, prospects)
    return Site(provisioner, FileLeader(layout.glidein_leader), layout.glidein_settings)


def _provisioner(
    settings: Settings,
    backend: Backend,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    growing: Path | None = None,
    prospects: ProspectsFile | None = None,
) -> Provisioner:
    pool, nodes = RealPool(environment), RealExecutionPoints(environment)
    return Provisioner(
        pool,
        nodes,
        backend,
        settings,
        Portions(_number("MLINFN_BARE_PERCENT"), _number("MLINFN_HANDOVER_RESERVE_MB")),
        Journal(folder / "glideins.jsonl"),
        Growth(growing or folder / "growing.conf", nodes),
        prospects or ProspectsFile(folder / "prospects.json"),
    )


def _number(name: str) -> int:
    text = configured(name)
    if not text.isdigit():
        raise BadRequest(f"the pool's configuration has no number {name}: does it read condor_config.d?")
    return int(text)


def _orders(running: RunningPool, settings: Settings) -> dict[str, str]:
    layout = running.layout
    return {
        "COLLECTOR": f"127.0.0.1:{layout.port.read_text().strip()}",
        "DOMAIN": running.settings.pool,
        "TOKENS": str(layout.glidein_tokens),
        "ADDRESS": "127.0.0.1",
        "SITE": running.settings.pool,
        "NODE": os.uname().nodename,
        "HTCONDOR": str(running.distribution.release_dir),
        "IDLE_SECONDS": str(int(settings.intervals.idle_seconds)),
        "JOIN_SECONDS": str(int(settings.intervals.join_seconds)),
    }
