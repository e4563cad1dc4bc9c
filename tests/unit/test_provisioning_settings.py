"""The settings of a site's nodes."""

import pytest

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.nodes import BARE, NodeKind
from mlinfn_condor.provisioning.settings import read

SITE = """
[kinds.a100]
cpus = 16
memory_mb = 128_000
device_kind = "gpu"
model = "A100"
devices = 2
owner_project = "alpha"
pledged = false
least = 1
most = 4
properties = { GlobalMemoryMb = 40_960 }

[kinds.cpu]
cpus = 32
memory_mb = 64_000
most = 10

[limits]
glideins = 12
devices = { A100 = 6 }
owners = { alpha = 3 }

[intervals]
idle_seconds = 600
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "nodes.toml"
        path.write_text(text)
        return path

    return write


def test_kinds_are_read_with_what_they_do_not_say(written):
    a100, cpu = read(written(SITE)).node_kinds
    assert a100 == NodeKind(
        "a100", 16, 128_000, DeviceKind.GPU, "A100", 2, "alpha", False, 1, 4, (("GlobalMemoryMb", 40_960),)
    )
    assert cpu == NodeKind("cpu", 32, 64_000, most=10)
    assert (a100.offer, cpu.offer) == ("A100", BARE)


def test_every_mistake_is_told_at_once_with_its_place(written):
    wrong = """
[kinds.BIG]
cpus = 0
memory_mb = 64_000
most = 1
[kinds.t4]
cpus = 8
memory_mb = 64_000
devices = 2
least = 3
most = 1
[limits]
starts = 0
gpus = 4
[intervals]
idle_seconds = "long"
"""
    with pytest.raises(BadRequest) as told:
        read(written(wrong))
    for part in (
        "kinds.BIG: ",
        "kinds.BIG.cpus: ",
        "kinds.t4: least (3) is above most (1); device_kind and model missing: ",
        "limits.starts: ",
        "limits.gpus: ",
        "intervals.idle_seconds: ",
    ):
        assert part in str(told.value)


def test_limits_of_what_no_kind_has_are_mistakes(written):
    with pytest.raises(BadRequest) as told:
        read(written(SITE.replace("A100 = 6", "V100 = 6").replace("alpha = 3", "beta = 3")))
    assert "limits.devices.V100: no kind has this model" in str(told.value)
    assert "limits.owners.beta: no kind has this owner_project" in str(told.value)


def test_a_node_is_not_lost_before_it_had_time_to_report(written):
    with pytest.raises(BadRequest, match=r"intervals\.join_seconds is below report_seconds"):
        read(written(SITE + "join_seconds = 30\n"))


def test_a_file_that_is_not_there_or_no_toml_is_told_so(written, tmp_path):
    with pytest.raises(BadRequest, match="No such file"):
        read(tmp_path / "none.toml")
    with pytest.raises(BadRequest, match="is no TOML"):
        read(written("[kinds"))
