"""Packages into one folder: all of HTCondor's own files that a pool needs, of the others only their libraries."""

import os
import re
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import InstallFailed

_LIBRARY = re.compile(r"(usr/)?(lib64/.+|lib/ld-linux[^/]*|lib/[a-z0-9_]+-linux-gnu[a-z0-9]*/[^/]+\.so[^/]*)")
"""Shared libraries on the loader's path, and the loader itself. Plug-ins of perl, python and systemd lie deeper."""
_WEIGHT = re.compile(
    r"usr/(share/(doc|man|lintian|bash-completion)|libexec/blahp|lib/(python3|systemd|tmpfiles\.d|sysusers\.d))(/.*)?"
)
"""What no pool on one machine needs of HTCondor's package; the bindings come from PyPI."""


def wanted(name: str, *, own: bool) -> bool:
    """Whether a file (its path in the package, without leading `./`) is unpacked; `own`: of HTCondor's package."""
    if own:
        return name.startswith(("usr/", "etc/condor/")) and not _WEIGHT.fullmatch(name)
    return _LIBRARY.fullmatch(name) is not None


def unpack(packages: Sequence[Path], into: Path, report: Report) -> list[Path]:
    """Unpack all; the regular files that came from HTCondor's own package."""
    own_files: list[Path] = []
    with (
        report.step(f"unpack {len(packages)} packages", len(packages)) as step,
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
    ):
        for package, files in zip(packages, pool.map(lambda package: _unpack(package, into), packages), strict=True):
            own_files += files if _is_htcondor(package) else []
            step.advance(1)
    return own_files


def version_of(packages: Sequence[Path]) -> str:
    """HTCondor's version among the packages, `25.14.1` of `condor_25.14.1+dfsg-1_amd64.deb`."""
    for package in packages:
        match = re.match(r"condor_(\d+\.\d+\.\d+)", package.name)
        if match:
            return match[1]
    raise InstallFailed(f"the package archive brought no package condor among {len(packages)}; try again")


def _is_htcondor(package: Path) -> bool:
    return package.name.startswith("condor_")


def _unpack(package: Path, into: Path) -> list[Path]:
    own = _is_htcondor(package)
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as producer:
        assert producer.stdout is not None  # noqa: S101 (a pipe was asked for)
        assert producer.stderr is not None  # noqa: S101
        try:
            with tarfile.open(fileobj=producer.stdout, mode="r|") as archive:
                files = list(_extracted(archive, into, own=own))
            producer.stdout.read()  # the padding after the last member: a closed pipe would be an error of dpkg-deb
        except tarfile.ReadError as error:
            raise InstallFailed(f"package {package.name} is damaged: {error}; try again") from error
        complaint = producer.stderr.read().decode(errors="replace").strip()
    if producer.returncode != 0:
        raise InstallFailed(f"package {package.name} is damaged: {complaint}; try again")
    return files


def _extracted(archive: tarfile.TarFile, into: Path, *, own: bool) -> Iterable[Path]:
    """The members are from a package whose signature was verified: absolute symbolic links in it are meant."""
    archive.extraction_filter = staticmethod(lambda member, path: member)
    for member in archive:
        member.name = str(PurePosixPath(member.name.removeprefix("./")))
        if member.isdir() or not wanted(member.name, own=own):
            continue
        if not member.name.startswith(("usr/", "etc/")):
            member.name = f"usr/{member.name}"  # Debian's /lib is a link to usr/lib
        if member.islnk():
            member.linkname = member.linkname.removeprefix("./")
        member.mode |= 0o600
        archive.extract(member, into, set_attrs=True)
        if member.isfile():
            yield into / member.name
