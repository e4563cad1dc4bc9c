"""When a broken device is taken out of the offer and put back, and how the startd learns of it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlinfn_condor.metering.look import Look
from mlinfn_condor.metering.withdrawal import Offer, Startd, configuration, decide
from mlinfn_condor.node.devices import Device

BACK = 60


def device(one: str, kind="GPUs") -> Device:
    return Device(kind, one, "T4", "Tesla T4", 15360, simulated=False)


def decided(*seen: tuple[float, str]) -> bool:
    """Whether the device is withdrawn after it was seen like this: (seconds, health)."""
    offer = Offer()
    for at, health in seen:
        offer = decide(offer, {"A": Look(at, health)}, BACK)
    return "A" in offer.withdrawn


@pytest.mark.parametrize(
    ("seen", "withdrawn"),
    [
        ([(0, "ok")], False),
        ([(0, "unknown")], False),
        ([(0, "ok"), (5, "broken")], True),
        ([(0, "broken"), (5, "unknown"), (500, "unknown")], True),
        ([(0, "broken"), (5, "ok"), (64, "ok")], True),
        ([(0, "broken"), (5, "ok"), (65, "ok")], False),
        ([(0, "broken"), (5, "ok"), (30, "broken"), (35, "ok"), (70, "ok")], True),
        ([(0, "broken"), (5, "ok"), (30, "unknown"), (35, "ok"), (70, "ok")], True),
        ([(0, "broken"), (5, "ok"), (65, "ok"), (70, "broken")], True),
    ],
)
def test_broken_goes_at_once_and_comes_back_when_it_was_sound_for_long_enough(seen, withdrawn):
    assert decided(*seen) is withdrawn


@given(st.lists(st.tuples(st.floats(0.1, 100), st.sampled_from(["ok", "unknown"])), max_size=20))
def test_a_device_that_never_was_broken_is_never_withdrawn(steps):
    at, seen = 0.0, []
    for seconds, health in steps:
        seen.append(((at := at + seconds), health))
    assert not decided(*seen)


DEVICES = [device("GPU-1"), device("GPU-2"), device("FPGA-1", "FPGAs")]


def test_the_startd_reads_a_list_for_each_kind_that_the_node_has():
    assert configuration(7, DEVICES, {"GPU-2", "GPU-1"}) == (
        "MLINFN_OFFLINE_GPUs_7 = GPU-1, GPU-2\nMLINFN_OFFLINE_FPGAs_7 = \n"
    )
    assert configuration(7, DEVICES[:1], ()) == "MLINFN_OFFLINE_GPUs_7 = \n"


LISTENER = """
import os, signal
# Not print: the signal may come while the first line is still being printed, and print refuses to be entered twice.
signal.signal(signal.SIGHUP, lambda *_: os.write(1, b"heard\\n"))
os.write(1, b"\\n")
while True:
    signal.pause()
"""


@pytest.fixture
def listener() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_the_startd_is_told_and_a_later_monitor_knows_what_the_one_before_withdrew(tmp_path: Path, listener):
    startd = Startd(listener.pid, tmp_path / "withdrawn")
    assert startd.withdrawn(DEVICES) == frozenset()
    assert startd.tell(DEVICES, ["GPU-2"]) is None
    assert listener.stdout.readline() == "heard\n"
    assert Startd(listener.pid, tmp_path / "withdrawn").withdrawn(DEVICES) == {"GPU-2"}
    assert Startd(listener.pid + 1, tmp_path / "withdrawn").withdrawn(DEVICES) == frozenset()


def test_startds_of_one_machine_keep_each_others_lists_and_lose_those_of_the_dead(tmp_path: Path, listener):
    lists = tmp_path / "withdrawn"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    other, dead = (configuration(pid, DEVICES, ["GPU-1"]) for pid in (os.getpid(), gone.pid))
    lists.write_text(other + dead + "something else\n")
    Startd(listener.pid, lists).tell(DEVICES, [])
    assert lists.read_text() == other + configuration(listener.pid, DEVICES, [])


def test_who_may_not_signal_the_startd_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("mlinfn_condor.metering.withdrawal.os.kill", refuse)
    told = Startd(1, tmp_path / "withdrawn").tell(DEVICES, [])
    assert told == "the startd cannot be told: Operation not permitted"
