"""The server's configuration files: fixed texts with this machine's paths and sizes filled in."""

import os
from importlib.resources import files
from pathlib import Path
from string import Template

from mlinfn_condor.store.errors import ServerFailed
from mlinfn_condor.store.local.layout import PORT, ROLES, Layout

MIB = 1024 * 1024
SHARED_BUFFERS_MB = (128, 1024)
"""Least and most of an eighth of the machine's memory: beyond, the system's own cache does as well."""
ENOUGH_SHARED_MEMORY_MB = 512
"""Containers often have 64 MB in /dev/shm: parallel queries would fail there, and use files instead."""


def written(layout: Layout, user: str, memory_mb: int, shared_memory_mb: int) -> dict[str, str]:
    """Text of each file in the data folder. Raises ServerFailed: a path that no configuration file can hold."""
    least, most = SHARED_BUFFERS_MB
    values = {
        "port": str(PORT),
        "sockets": _quoted(layout.sockets),
        "log": _quoted(layout.log),
        "own_settings": _quoted(layout.own_settings),
        "shared_buffers_mb": str(min(max(memory_mb // 8, least), most)),
        "cache_mb": str(max(memory_mb // 2, least)),
        "dynamic_shared_memory": "posix" if shared_memory_mb >= ENOUGH_SHARED_MEMORY_MB else "mmap",
        "lines": "\n".join(f'mlinfn  "{user}"  {role}' for role in ROLES),
    }
    if '"' in user or "\n" in user:
        raise ServerFailed(f"the user name {user!r} cannot stand in pg_ident.conf: run as another user")
    folder = files("mlinfn_condor.store.local") / "files"
    names = ("postgresql.conf", "pg_hba.conf", "pg_ident.conf")
    return {name: Template((folder / name).read_text()).substitute(values) for name in names}


def machine_memory_mb() -> int:
    """The machine's memory; a container's own limit is not looked for, the shares are small."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB


def shared_memory_mb() -> int:
    """Size of what POSIX shared memory lies in, 0 where there is none."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108 - looked at, nothing is put there
    except OSError:
        return 0
    return found.f_blocks * found.f_frsize // MIB


def _quoted(path: Path) -> str:
    if "\n" in str(path) or "," in str(path) or '"' in str(path):
        raise ServerFailed(f"{path} cannot stand in postgresql.conf: set MLINFN_HOME to a plainer folder")
    return str(path).replace("'", "''")
