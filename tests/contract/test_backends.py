"""What every back end promises: the twin, processes of this machine, an administrator's folder, pods."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from mlinfn_condor.glidein import processes
from mlinfn_condor.kube.twin import TwinCluster, twin_kube
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends import Backend
from mlinfn_condor.provisioning.backends.kubernetes import KubernetesBackend, KubernetesSite
from mlinfn_condor.provisioning.backends.local import LocalBackend
from mlinfn_condor.provisioning.backends.manual import ManualBackend
from mlinfn_condor.provisioning.backends.twin import TwinBackend
from mlinfn_condor.provisioning.nodes import NodeKind, Phase

T4 = NodeKind("t4", 4, 8192, DeviceKind.GPU, "T4", 2, owner_project="alpha", most=3)
BARE = NodeKind("cpu", 2, 4096, most=3)
ALIVE = (Phase.ASKED, Phase.RUNNING)
GONE_SECONDS = 60
POD = {"kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "glidein", "image": "glidein:1"}]}}
STAND_IN = f"""#!{sys.executable}
import json, os, pathlib, signal, sys
def leave(*_):
    pathlib.Path(os.environ["MLINFN_GLIDEIN_WORDS"]).write_text(json.dumps({{"code": 143, "detail": "told to end"}}))
    sys.exit(143)
signal.signal(signal.SIGTERM, leave)
while True:
    signal.pause()
"""
"""In the place of the interpreter that runs an entrypoint: it does nothing, and says so at its end."""


@dataclass(frozen=True)
class Place:
    """A back end, and another one that looks at the same place."""

    backend: Backend
    again: Callable[[], Backend]


@pytest.fixture(params=["twin", "local", "manual", "kubernetes"])
def place(request, tmp_path, monkeypatch) -> Iterator[Place]:
    if request.param == "twin":
        twin = TwinBackend()
        yield Place(twin, lambda: twin)
    elif request.param == "local":
        (stand_in := tmp_path / "python").write_text(STAND_IN)
        stand_in.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(stand_in))
        folder = tmp_path / "glideins"
        yield Place(LocalBackend(folder, {}), lambda: LocalBackend(folder, {}))
        for place in folder.iterdir() if folder.exists() else ():
            if pid := processes.entrypoint(place / "work"):
                os.kill(pid, signal.SIGKILL)
    elif request.param == "kubernetes":
        cluster = TwinCluster(namespace="ai")

        def kubernetes() -> KubernetesBackend:
            return KubernetesBackend(twin_kube(cluster), KubernetesSite(pool="ai"), POD)

        yield Place(kubernetes(), kubernetes)
    else:

        def manual() -> ManualBackend:
            return ManualBackend(tmp_path / "requests", {"collector": "cm:9618", "domain": "here", "site": "here"})

        yield Place(manual(), manual)


def see_off(place: Place, *names: str) -> None:
    """Remove until they are gone, as a provisioner does: what has jobs takes its time."""
    deadline = time.monotonic() + GONE_SECONDS
    while {one.name for one in place.backend.glideins()} & set(names):
        assert time.monotonic() < deadline, "they do not go"
        place.backend.remove(names)


def test_an_empty_place_has_none(place):
    assert place.backend.glideins() == []


def test_what_is_asked_for_exists_from_then_on(place):
    place.backend.start("t4-1", T4, warm=True)
    place.backend.start("cpu-1", BARE)
    found = {one.name: one for one in place.backend.glideins()}
    assert set(found) == {"t4-1", "cpu-1"}
    assert (found["t4-1"].kind, found["t4-1"].warm) == ("t4", True)
    assert (found["cpu-1"].kind, found["cpu-1"].warm) == ("cpu", False)
    assert all(one.phase in ALIVE for one in found.values())


def test_two_callers_make_one(place):
    place.backend.start("t4-1", T4)
    (first,) = place.backend.glideins()
    place.again().start("t4-1", T4, warm=True)
    assert [(one.name, one.uid, one.warm) for one in place.backend.glideins()] == [(first.name, first.uid, first.warm)]


def test_whoever_asks_anew_finds_the_same(place):
    place.backend.start("t4-1", T4)
    again = [(one.name, one.kind, one.uid) for one in place.again().glideins()]
    assert again == [(one.name, one.kind, one.uid) for one in place.backend.glideins()]


def test_what_is_removed_is_gone_and_what_is_unknown_is_no_mistake(place):
    place.backend.start("t4-1", T4)
    place.backend.start("t4-2", T4)
    see_off(place, "t4-1", "never-was")
    assert [one.name for one in place.backend.glideins()] == ["t4-2"]


def test_a_name_is_free_again_when_its_glidein_is_gone(place):
    place.backend.start("t4-1", T4)
    (first,) = place.backend.glideins()
    see_off(place, "t4-1")
    place.backend.start("t4-1", BARE)
    (second,) = place.backend.glideins()
    assert second.kind == "cpu"
    assert second.since >= first.since


@pytest.mark.parametrize("place", ["local"], indirect=True)
def test_a_process_that_has_just_begun_is_known_before_its_environment_can_be_read(place, monkeypatch):
    """As long as it becomes another program; a removal would have taken its folder and left it running."""
    place.backend.start("t4-1", T4)
    monkeypatch.setattr("mlinfn_condor.provisioning.backends.local.variable", lambda *_: None)
    assert [one.phase for one in place.backend.glideins()] == [Phase.RUNNING]
    place.backend.remove(["t4-1"])
    assert (place.backend.log("t4-1").parent / "removed").exists()
    see_off(place, "t4-1")
