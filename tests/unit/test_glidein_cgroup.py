"""What a container may use, as its control groups say it: version 1, 2, both, none."""

import pytest

from mlinfn_condor.glidein.cgroup import Sizes, of_this_process, sizes

MACHINE = Sizes(64, 512000)
GIB = 1024**3
NO_LIMIT_V1 = "9223372036854771712"
FS = "/sys/fs/cgroup"

V2_POD = {
    "/proc/self/cgroup": "0::/",
    f"{FS}/cpu.max": "400000 100000\n",
    f"{FS}/memory.max": f"{16 * GIB}\n",
    f"{FS}/cpuset.cpus.effective": "0-63\n",
}
V1_POD = {
    "/proc/self/cgroup": "5:cpu,cpuacct:/pods/c1\n4:memory:/pods/c1\n3:cpuset:/pods/c1\n1:name=systemd:/",
    f"{FS}/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
    f"{FS}/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    f"{FS}/memory/memory.limit_in_bytes": f"{8 * GIB}\n",
    f"{FS}/cpuset/cpuset.cpus": "0-15\n",
}

CASES = {
    "none": ({}, MACHINE),
    "unreadable": ({"/proc/self/cgroup": "0::/"}, MACHINE),
    "v2, a pod with a namespace of its own": (V2_POD, Sizes(4, 16 * 1024)),
    "v2, no limits": ({**V2_POD, f"{FS}/cpu.max": "max 100000", f"{FS}/memory.max": "max"}, MACHINE),
    "v2, half a core": ({**V2_POD, f"{FS}/cpu.max": "50000 100000"}, Sizes(1, 16 * 1024)),
    "v2, whole cores only": ({**V2_POD, f"{FS}/cpu.max": "390000 100000"}, Sizes(3, 16 * 1024)),
    "v2, pinned to fewer cores than the quota": (
        {**V2_POD, f"{FS}/cpuset.cpus.effective": "0-1,8"},
        Sizes(3, 16 * 1024),
    ),
    "v2, a quota above the machine": ({**V2_POD, f"{FS}/cpu.max": "9900000 100000"}, Sizes(64, 16 * 1024)),
    "v2, a group below a limited one": (
        {
            "/proc/self/cgroup": "0::/kubepods/pod1/c1",
            f"{FS}/kubepods/pod1/c1/cpu.max": "max 100000",
            f"{FS}/kubepods/pod1/c1/memory.max": "max",
            f"{FS}/kubepods/pod1/cpu.max": "200000 100000",
            f"{FS}/kubepods/memory.max": f"{4 * GIB}",
        },
        Sizes(2, 4 * 1024),
    ),
    "v2, a path above the namespace": ({**V2_POD, "/proc/self/cgroup": "0::/../../other"}, Sizes(4, 16 * 1024)),
    "v1, a pod that sees the host's path": (V1_POD, Sizes(2, 8 * 1024)),
    "v1, no limits": (
        {
            **V1_POD,
            f"{FS}/cpu,cpuacct/cpu.cfs_quota_us": "-1",
            f"{FS}/memory/memory.limit_in_bytes": NO_LIMIT_V1,
            f"{FS}/cpuset/cpuset.cpus": "0-63",
        },
        MACHINE,
    ),
    "v1, controllers mounted one by one": (
        {
            "/proc/self/cgroup": "2:cpu:/c\n1:memory:/c",
            f"{FS}/cpu/c/cpu.cfs_quota_us": "300000",
            f"{FS}/cpu/c/cpu.cfs_period_us": "100000",
            f"{FS}/memory/c/memory.limit_in_bytes": f"{GIB}",
        },
        Sizes(3, 1024),
    ),
    "both: limits in version 1, the unified one empty": (
        {**V1_POD, "/proc/self/cgroup": V1_POD["/proc/self/cgroup"] + "\n0::/kubepods/pod1/c1"},
        Sizes(2, 8 * 1024),
    ),
    "nonsense": ({**V2_POD, f"{FS}/cpu.max": "much", f"{FS}/memory.max": "?"}, MACHINE),
}


@pytest.mark.parametrize("case", CASES)
def test_sizes_of(case):
    files, expected = CASES[case]
    assert sizes(files.get, MACHINE) == expected


def test_this_process_has_something():
    found = of_this_process()
    assert found.cpus >= 1
    assert found.memory_mb >= 1
