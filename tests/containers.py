"""An Apptainer and an image for tests: those of the machine, else Debian's in a folder of this user's, without root.

MLINFN_TEST_APPTAINER and MLINFN_TEST_BUSYBOX name others. What is fetched brings its own C library, so that it runs on
any Debian, and stays for the next run.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import mlinfn_condor
from mlinfn_condor.embedded import packages, relocate
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings

SUITE = "sid"
"""Apptainer is in no release of Debian's."""
FETCHED = ("apptainer", "squashfs-tools", "busybox-static")
LIBRARIES = ("libc6", "liblz4-1", "liblzma5", "liblzo2-2", "libseccomp2", "libsqlite3-0", "libzstd1", "zlib1g")
PLACES = (
    "bin",
    "dev",
    "proc",
    "sys",
    "etc",
    "tmp",
    "var/tmp",
    "root",
    "home",
    "srv",
    "usr/bin",
    ".singularity.d/env",
    "opt/own",
    "opt/host/usr",
)
"""What is mounted at: Apptainer makes no place where the kernel lets nobody have overlays."""

FILES = ("passwd", "group", "hosts", "resolv.conf", "localtime")
HOST_USR = "/opt/host/usr"

# Read when imported: tests themselves do not see variables of the machine.
_APPTAINER = os.environ.get("MLINFN_TEST_APPTAINER") or shutil.which("apptainer")
_BUSYBOX = os.environ.get("MLINFN_TEST_BUSYBOX") or shutil.which("busybox")


@dataclass(frozen=True)
class Containers:
    """What runs images, and what one is made of."""

    apptainer: Path
    busybox: Path

    def make_image(self, folder: Path) -> Path:
        """An image as a folder: busybox with a shell, and commands and a file that only the image has."""
        for place in PLACES:
            (folder / place).mkdir(parents=True)
        for file in FILES:
            (folder / "etc" / file).touch()
        shutil.copy(self.busybox, folder / "bin/busybox")
        for name in ("sh", "cat", "sleep"):
            (folder / "bin" / name).symlink_to("busybox")
        (folder / "usr/bin/env").symlink_to("/bin/busybox")
        (folder / "etc/whose").write_text("the image's\n")
        # As images from a registry do: commands lie where no node would look, and the image says where.
        (folder / "opt/own/whose").write_text("#!/bin/sh\ncat /etc/whose\n")
        (folder / "opt/own/whose").chmod(0o755)
        (folder / ".singularity.d/env/99-base.sh").touch()  # after it Apptainer sets what the job has
        (folder / ".singularity.d/env/10-docker2singularity.sh").write_text("export PATH=/opt/own:/bin\n")
        return folder

    def make_file(self, image: Path, file: Path) -> Path:
        """A .sif file of an image that is a folder."""
        subprocess.run([self.apptainer, "--silent", "build", file, image], check=True, capture_output=True)
        return file

    def make_python_image(self, folder: Path) -> Path:
        """An image whose programs are this machine's, mounted at HOST_USR by the node's configuration."""
        for place in PLACES:
            if not place.startswith(("bin", "usr")):
                (folder / place).mkdir(parents=True)
        for name in ("bin", "lib", "lib64"):
            (folder / name).symlink_to(f"usr/{name}")
        (folder / "usr").symlink_to(HOST_USR.lstrip("/"))
        for file in FILES:
            (folder / "etc" / file).touch()
        return folder


@pytest.fixture(scope="session")
def containers() -> Containers:
    """A skip where the kernel forbids user namespaces; else a failure in CI when they cannot be had."""
    if complaint := _namespaces_forbidden():
        pytest.skip(f"this machine forbids user namespaces, which Apptainer needs: {complaint}")
    try:
        return _ensure(Settings().home.absolute() / "apptainer")
    except InstallFailed as error:
        if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def host_binds() -> str:
    """MLINFN_IMAGE_BIND with which a Python image has this very environment."""
    own = {Path(sys.prefix), Path(sys.base_prefix), Path(mlinfn_condor.__file__).parents[1]} - {Path("/usr")}
    return " ".join([f"/usr:{HOST_USR}", *map(str, sorted(own))])


@pytest.fixture(scope="session")
def image(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return containers.make_image(tmp_path_factory.mktemp("image") / "busybox")


def _namespaces_forbidden() -> str:
    """The kernel's refusal of a namespace with a mount of its own; empty: it allows them."""
    tried = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "true"], capture_output=True, text=True, check=False
    )
    return tried.stderr.strip() if tried.returncode else ""


def _ensure(fetched: Path) -> Containers:
    """Raises InstallFailed."""
    busybox = Path(_BUSYBOX) if _BUSYBOX and _is_static(Path(_BUSYBOX)) else None
    if not (_APPTAINER and busybox):
        _fetch(fetched)
    found = Containers(Path(_APPTAINER or fetched / "usr/bin/apptainer"), busybox or fetched / "usr/bin/busybox")
    try:
        subprocess.run([found.apptainer, "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallFailed(f"{found.apptainer} does not run here: {getattr(error, 'stderr', error)}") from error
    return found


def _is_static(program: Path) -> bool:
    """Whether it names no loader, which an image would have to have."""
    return b"ld-linux" not in program.read_bytes()


def _fetch(final: Path) -> None:
    """Whole or not at all, and by one of those that want it at once."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with final.with_name("apptainer.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if final.exists():
                return
            with tempfile.TemporaryDirectory(prefix=".installing-", dir=final.parent) as temporary:
                debs = packages.fetch_alone(Path(temporary) / "apt", FETCHED + LIBRARIES, SilentReport(), SUITE)
                root = Path(temporary) / "root"
                for deb in debs:
                    subprocess.run(["dpkg-deb", "-x", deb, root], check=True, capture_output=True)
                _settle(root, final)
                root.rename(final)
    except InstallFailed as error:
        raise InstallFailed(str(error).replace("HTCondor was", "Apptainer was").partition(", or install")[0]) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallFailed(f"Apptainer was not installed in {final}: {error}") from error


def _settle(root: Path, final: Path) -> None:
    """Bind the programs to the libraries beside them, and lay configuration where a moved Apptainer looks for it."""
    (own,) = root.glob("usr/lib/*/apptainer/bin")
    packers = [(root / "usr/bin" / name).rename(own / name) for name in ("mksquashfs", "unsquashfs")]
    programs = [root / "usr/bin/apptainer", own / "starter", *packers]
    relocate.relocate(programs, root, final, SilentReport())
    (root / "etc").rename(root / "usr/etc")
    (root / "usr/lib/etc").symlink_to("../etc")
    (root / "usr/lib/var/lib/apptainer/mnt/session").mkdir(parents=True)
