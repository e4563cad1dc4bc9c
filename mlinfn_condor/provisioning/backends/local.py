"""Glideins as processes of this machine: the embedded pool's, and the tests'. Their devices are simulated, and say so.

Everything known is in one folder a glidein and in /proc, so the back end can be killed and begun again at any time.
A glidein outlives whoever started it; one whose entrypoint was killed is found by what it left running.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mlinfn_condor.glidein import processes
from mlinfn_condor.glidein.orders import PREFIX
from mlinfn_condor.glidein.outcome import Exit
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device, Kind
from mlinfn_condor.node.processes import others, send, variable
from mlinfn_condor.provisioning.backends.protocol import BackendUnavailable, NodeRefused
from mlinfn_condor.provisioning.nodes import Glidein, NodeKind, Phase, Trouble
from mlinfn_condor.shipped import shipped

BEGIN_SECONDS = 10
"""A folder without a process is taken for a start that was cut off after so long."""
DEVICE_MEMORY_MB = 16 * 1024
"""Of a simulated device; nothing of it is ever used."""
TROUBLE = {Exit.STARTUP: Trouble.STARTUP, Exit.JOIN: Trouble.POOL, Exit.CRASHED: Trouble.NODE}


@dataclass(frozen=True)
class _Order:
    """What stands in a glidein's folder."""

    kind: str
    since: float
    uid: str
    warm: bool


class LocalBackend:
    """Glideins below `folder`, a folder of their own with a short path: their daemons' sockets lie in it."""

    name = "local"

    def __init__(self, folder: Path, orders: Mapping[str, str]) -> None:
        """`orders`: what every glidein is told of pool, token and HTCondor, without `MLINFN_GLIDEIN_`."""
        self._folder = folder
        self._orders = dict(orders)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def glideins(self) -> list[Glidein]:
        """See Backend."""
        running = self._entrypoints()
        return [self._glidein(name, order, running) for name, order in self._known()]

    def start(self, name: str, kind: NodeKind, *, warm: bool = False) -> None:
        """See Backend."""
        place = self._folder / name
        order = _Order(kind.name, time.time(), os.urandom(8).hex(), warm)
        draft = self._folder / f".{name}.{order.uid}"
        try:
            draft.mkdir(parents=True)
            (draft / "order.json").write_text(json.dumps(asdict(order)))
            _node(name, kind).write(draft / "node.json")
            if place.exists():
                shutil.rmtree(draft)
                return
            draft.rename(place)  # of two callers one fails here: a folder that is not empty is not replaced
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if place.exists():
                return
            raise NodeRefused(f"cannot write {error.filename}: {error.strerror}", Trouble.QUOTA) from error
        self._begin(name, kind, order)

    def remove(self, names: Iterable[str]) -> None:
        """See Backend. What still has jobs is told to end, and stays listed until it has."""
        running = self._entrypoints()
        for name in names:
            place = self._folder / name
            if not place.is_dir():
                continue
            pid = running.get(name)
            if pid is not None:
                (place / "removed").touch()
                send(pid, signal.SIGTERM)
                continue
            processes.end(place / "work")
            shutil.rmtree(place, ignore_errors=True)

    def log(self, name: str) -> Path:
        """What the entrypoint of a glidein wrote."""
        return self._folder / name / "log"

    def _known(self) -> Iterator[tuple[str, _Order]]:
        try:
            places = sorted(self._folder.iterdir()) if self._folder.exists() else []
        except OSError as error:
            raise BackendUnavailable(f"cannot read {self._folder}: {error.strerror}") from error
        for place in places:
            try:
                yield place.name, _Order(**json.loads((place / "order.json").read_text()))
            except (OSError, ValueError, TypeError):
                continue  # a draft, or one that somebody removes at this moment

    def _glidein(self, name: str, order: _Order, running: Mapping[str, int]) -> Glidein:
        place = self._folder / name
        phase, trouble, detail = Phase.RUNNING, None, ""
        if (place / "removed").exists():
            phase, detail = Phase.LEAVING, "it was told to end"
        if name not in running:
            phase, trouble, detail = self._ended(place, order)
        return Glidein(name, order.kind, phase, order.since, trouble, detail, order.uid, _began(place), order.warm)

    def _ended(self, place: Path, order: _Order) -> tuple[Phase, Trouble | None, str]:
        try:
            words = json.loads((place / "words.json").read_text())
            code, detail = Exit(words["code"]), str(words["detail"])
        except (OSError, ValueError, KeyError):
            if time.time() - order.since < BEGIN_SECONDS:
                return Phase.ASKED, None, "it is about to begin"
            return Phase.FAILED, Trouble.UNKNOWN, "its entrypoint was killed"
        return (Phase.ENDED, None, detail) if code.as_it_should else (Phase.FAILED, TROUBLE[code], detail)

    def _begin(self, name: str, kind: NodeKind, order: _Order) -> None:
        place = self._folder / name
        told = self._orders | {
            "NAME": name,
            "KIND": kind.name,
            "UID": order.uid,
            "OWNER_PROJECT": kind.owner_project,
            "WARM": str(order.warm).lower(),
            "DEVICES": f"{kind.model}:{kind.devices}" if kind.devices else "none",
            "DESCRIPTION": str(place / "node.json"),
            "WORK": str(place / "work"),
            "WORDS": str(place / "words.json"),
        }
        kept = {n: v for n, v in os.environ.items() if not n.upper().startswith((PREFIX, "CONDOR_", "_CONDOR_"))}
        # This very environment's interpreter: sessions start by its `python`, which need not be the one in PATH.
        environment = kept | {PREFIX + n: v for n, v in told.items() if v} | {"MLINFN_PYTHON": sys.executable}
        with (place / "log").open("ab") as log:
            self._children[name] = subprocess.Popen(
                [shipped("glidein") / "entrypoint"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _entrypoints(self) -> dict[str, int]:
        """Process ids of the entrypoints that live, by glidein."""
        for name, child in list(self._children.items()):
            if child.poll() is not None:  # who is not waited for stays a process
                del self._children[name]
        works = {str(self._folder / name / "work"): name for name, _ in self._known()}
        found = ((variable(pid, processes.ORDER), pid) for pid in others())
        running = {works[work]: pid for work, pid in found if work in works}
        # Of our own we know it also while they become another program, when nobody can read their environment.
        return {name: child.pid for name, child in self._children.items()} | running


def _began(place: Path) -> float | None:
    try:
        return (place / "log").stat().st_ctime if not (place / "work").exists() else (place / "work").stat().st_ctime
    except OSError:
        return None


def _node(name: str, kind: NodeKind) -> Node:
    resource: Kind = "FPGAs" if kind.device_kind == "fpga" else "GPUs"
    devices = tuple(
        Device(
            resource, f"{resource[:-1]}-{name}-{kind.model}-{number}", kind.model, f"Simulated {kind.model}",
            DEVICE_MEMORY_MB, simulated=True, owner=kind.owner_project or None,
        )
        for number in range(kind.devices)
    )  # fmt: skip
    return Node(name, kind.cpus, kind.memory_mb, devices, f"a node of kind {kind.name}, simulated")
