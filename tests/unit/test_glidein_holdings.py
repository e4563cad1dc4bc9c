"""What a glidein has to give, against what it should have."""

import os
import subprocess
import sys

import pytest

from mlinfn_condor.glidein import fpgas, holdings, processes
from mlinfn_condor.glidein.cgroup import Sizes
from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.glidein.orders import Orders
from mlinfn_condor.glidein.outcome import Exit, GlideinFailed
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device
from mlinfn_condor.node.processes import descendants

SIZES = Sizes(8, 32768)
T4 = [Device("GPUs", f"GPU-{n}", "T4", "Tesla T4", 15360, simulated=False) for n in range(2)]


def told(tmp_path, **more):
    return Orders("g", "t4", "cm:9618", "pool", tmp_path, tmp_path / "w", **more)


def test_the_daemons_memory_is_not_given_away(tmp_path):
    assert holdings.node(told(tmp_path), SIZES, 256, T4) == Node("g", 8, 32512, tuple(T4))


def test_too_little_memory_is_refused(tmp_path):
    with pytest.raises(GlideinFailed, match="300 MB of memory are too few"):
        holdings.node(told(tmp_path), Sizes(1, 300), 256, ())


@pytest.mark.parametrize(("wanted", "has"), [({"T4": 2}, "no device"), ({"A100": 2}, "2 T4"), ({"T4": 1}, "2 T4")])
def test_other_devices_than_it_should_have_are_refused(tmp_path, wanted, has):
    with pytest.raises(GlideinFailed, match=has) as refused:
        holdings.node(told(tmp_path, devices=wanted), SIZES, 0, [] if has == "no device" else T4)
    assert refused.value.code is Exit.STARTUP


def test_one_without_devices_leaves_alone_what_it_happens_to_see(tmp_path):
    assert holdings.node(told(tmp_path, devices={}), SIZES, 0, T4).devices == ()


def test_what_is_there_is_taken_when_nothing_is_said(tmp_path):
    assert holdings.node(told(tmp_path), SIZES, 0, T4).devices == tuple(T4)


def test_a_description_may_only_simulate(tmp_path):
    with pytest.raises(GlideinFailed, match="GPU-0 is not simulated"):
        holdings.described(told(tmp_path), Node("x", 1, 1000, tuple(T4)))


def test_a_described_node_is_labelled(tmp_path):
    device = Device("GPUs", "GPU-s", "T4", "Simulated T4", 15360, simulated=True)
    assert holdings.described(told(tmp_path), Node("x", 1, 1000, (device,))).stands_for == "a simulated node"


def card(tmp_path, address, *, shell, in_view):
    pci = tmp_path / "sys/bus/pci/drivers/xocl" / address
    (pci / "drm/renderD128").mkdir(parents=True)
    (pci / "rom.u.1").mkdir()
    (pci / "rom.u.1/VBNV").write_text(shell)
    if in_view:
        (tmp_path / "dev/dri").mkdir(parents=True)
        (tmp_path / "dev/dri/renderD128").touch()


def test_an_fpga_in_view_is_found_by_its_shell(tmp_path):
    card(tmp_path, "0000:3b:00.1", shell="xilinx_u50_gen3x16_xdma_base_5\n", in_view=True)
    (found,) = fpgas.discover(tmp_path / "sys", tmp_path / "dev")
    assert (found.kind, found.id, found.model) == ("FPGAs", "FPGA-0000:3b:00.1", "U50")


def test_a_card_of_another_container_is_not_taken(tmp_path):
    card(tmp_path, "0000:3b:00.1", shell="xilinx_u250_gen3x16", in_view=False)
    assert fpgas.discover(tmp_path / "sys", tmp_path / "dev") == ()


def test_its_folder_is_emptied_and_removed(tmp_path):
    layout = Layout(tmp_path / "w")
    layout.make()
    (layout.execute / "left").write_text("x")
    layout.make()
    assert list(layout.execute.iterdir()) == []
    layout.remove()
    assert not layout.work.exists()


def test_a_strangers_folder_is_neither_used_nor_removed(tmp_path):
    (tmp_path / "precious").touch()
    with pytest.raises(GlideinFailed, match="is not empty"):
        Layout(tmp_path).make()
    Layout(tmp_path).remove()
    assert (tmp_path / "precious").exists()


def test_what_its_heir_inherited_is_ended_though_it_carries_no_mark(tmp_path):
    shell = ["sh", "-c", "sleep 600 & echo $!; wait"]
    with subprocess.Popen(shell, env={"PATH": os.defpath}, stdout=subprocess.PIPE, text=True) as heir:
        grandchild = int(heir.stdout.readline())
        assert descendants(heir.pid) == {grandchild}
        assert list(processes.members(tmp_path)) == []
        assert processes.end(tmp_path, heir=heir.pid)
        heir.wait(60)
        assert descendants(heir.pid) == set()


@pytest.mark.parametrize("how", [processes.MARK, "_CONDOR_SCRATCH_DIR"])
def test_only_marked_processes_are_its_members(tmp_path, how):
    work = tmp_path / "w"
    value = str(work) if how == processes.MARK else str(work / "execute/dir_1")
    sleeper = [sys.executable, "-c", "print(flush=True); input()"]
    mine, other = (
        subprocess.Popen(sleeper, env={how: text}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for text in (value, f"{value}x" if how == processes.MARK else "/elsewhere")
    )
    try:
        for one in (mine, other):
            one.stdout.readline()
        assert processes.orphans(work) == [mine.pid]
        assert processes.end(work) is True
        assert mine.wait(60) < 0
        assert other.poll() is None
        assert processes.end(work) is False
        assert processes.entrypoint(work) is None
    finally:
        for one in (mine, other):
            one.kill()
            one.communicate()
    assert os.getpid() not in processes.members(work)
