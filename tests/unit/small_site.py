"""A small site to provision, put together by tests."""

from itertools import count

from mlinfn_condor.bench.made_up import MadeUpNode, Work, portions
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.provisioning.actions import KeepOn, Remove, Retire, Start
from mlinfn_condor.provisioning.demand import needs
from mlinfn_condor.provisioning.nodes import Glidein, Phase
from mlinfn_condor.provisioning.plan import plan
from mlinfn_condor.provisioning.settings import Settings
from mlinfn_condor.provisioning.snapshot import Snapshot

NOW = 1_800_000_000
PORTIONS = portions()
SESSION, DASK, BATCH = PriorityClass.INTERACTIVE, PriorityClass.DASK, PriorityClass.BATCH
T4 = {"cpus": 16, "memory_mb": 64_000, "device_kind": "gpu", "model": "T4", "devices": 2, "most": 4}
A100 = {"cpus": 16, "memory_mb": 128_000, "device_kind": "gpu", "model": "A100", "devices": 2, "most": 4}
CPU = {"cpus": 32, "memory_mb": 64_000, "most": 4}
_numbers = count(1)


def settings(limits=None, intervals=None, **kinds):
    return Settings.model_validate({"kinds": kinds, "limits": limits or {}, "intervals": intervals or {}})


def work(priority_class=BATCH, devices=1, model="T4", **fields):
    asked = {"project": "alpha", "cpus": 1, "memory_mb": 1024, "since": NOW - 60} | fields
    return Work(next(_numbers), priority_class, devices=devices, model=model if devices else "", **asked)


def glidein(name, phase=Phase.RUNNING, **fields):
    kind = name.rpartition("-")[0]
    running_since = NOW - 900 if phase is Phase.RUNNING else None
    return Glidein(
        name, kind, phase, **{"since": NOW - 1000, "uid": f"uid-{name}", "running_since": running_since} | fields
    )


def node(name, given, *running):
    kind = next(kind for kind in given.node_kinds if kind.name == name.rpartition("-")[0])
    made = MadeUpNode(name, kind, PORTIONS)
    for one in running:
        assert made.start(one) == []
    return made


def look(works=(), nodes=(), glideins=None, **fields):
    """One look; the nodes are glideins that run, unless told otherwise."""
    known = [glidein(one.name) for one in nodes] if glideins is None else glideins
    slots = tuple(slot for one in nodes for slot in one.slots())
    found = tuple(needs(one.job() for one in works))
    return Snapshot(found, slots, tuple(known), **{"now": NOW, "collector_since": NOW - 10_000} | fields)


def planned(given, *args, **fields):
    return plan(look(*args, **fields), given, PORTIONS)


def started(decided):
    return [one.name for one in decided.actions if isinstance(one, Start)]


def kept_on(decided):
    return [one.name for one in decided.actions if isinstance(one, KeepOn)]


def retired(decided):
    return [one.name for one in decided.actions if isinstance(one, Retire)]


def removed(decided):
    return [one.name for one in decided.actions if isinstance(one, Remove)]
