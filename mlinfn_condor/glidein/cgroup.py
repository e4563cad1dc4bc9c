"""What a container may use: CPUs and memory from its control group (version 1, 2, both, none), not from the host alone.

Invariants: never more than the machine has, than the CPUs that the process may run on, or than any group above allows;
never less than one CPU. A group that cannot be read limits nothing: the next one above may still do.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = PurePosixPath("/sys/fs/cgroup")
MIB = 1024**2
Read = Callable[[str], str | None]
"""Content of a file, None when it cannot be read."""


@dataclass(frozen=True)
class Sizes:
    """What there is to share out."""

    cpus: int
    memory_mb: int


def of_this_process() -> Sizes:
    """The sizes of the container, or machine, that this runs in."""
    machine = Sizes(len(os.sched_getaffinity(0)), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB)
    return sizes(_content, machine)


def sizes(read: Read, machine: Sizes) -> Sizes:
    """Sizes by what the files say; `machine` is what the process could use without a control group."""
    cpus, memory = [float(machine.cpus)], [machine.memory_mb]
    for controllers, path in _memberships(read("/proc/self/cgroup") or ""):
        for group in _groups(controllers, path):
            cpus += _cpus(read, group)
            memory += _memory_mb(read, group)
    return Sizes(max(1, int(min(cpus) + 1e-6)), min(memory))


def _memberships(text: str) -> Iterator[tuple[str, str]]:
    """(controllers, path) of each hierarchy; no controllers: version 2."""
    for line in text.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3 and (not parts[1] or {"cpu", "cpuset", "memory"} & set(parts[1].split(","))):
            yield parts[1], parts[2]


def _groups(controllers: str, path: str) -> Iterator[PurePosixPath]:
    """Folders of a group and those above it.

    A container with a namespace of its own sees its group as `/`; one without sees a path of the host's, which is not
    mounted in it: its own group is then what is mounted on top.
    """
    tops = [ROOT / controllers, ROOT / controllers.split(",")[0]] if controllers else [ROOT, ROOT / "unified"]
    below = PurePosixPath(path.lstrip("/"))
    if ".." in below.parts:
        below = PurePosixPath()
    for top in dict.fromkeys(tops):
        for part in (below, *below.parents):
            yield top / part


def _cpus(read: Read, group: PurePosixPath) -> Iterator[float]:
    quota = (read(str(group / "cpu.max")) or "").split()
    if not quota:
        quota = [(read(str(group / name)) or "").strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    if len(quota) == 2 and all(re.fullmatch(r"[1-9]\d*", part) for part in quota):
        yield int(quota[0]) / int(quota[1])
    for name in ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"):
        if number := _in_list(read(str(group / name)) or ""):
            yield number
            return


def _in_list(text: str) -> int:
    """How many CPUs `0-3,8` names; 0 when it names none."""
    ranges = re.findall(r"(\d+)(?:-(\d+))?", text)
    return sum(int(last or first) - int(first) + 1 for first, last in ranges)


def _memory_mb(read: Read, group: PurePosixPath) -> Iterator[int]:
    for name in ("memory.max", "memory.limit_in_bytes"):
        limit = (read(str(group / name)) or "").strip()
        # Version 1 writes "no limit" as a number near 2^63, which never is the smallest.
        if limit.isdigit():
            yield int(limit) // MIB


def _content(path: str) -> str | None:
    try:
        return Path(path).read_text()
    except OSError:
        return None
