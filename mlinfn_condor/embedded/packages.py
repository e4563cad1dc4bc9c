"""HTCondor's packages from Debian's archive, fetched beside the system: apt with a state of its own, and no root."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.embedded.report import Report
from mlinfn_condor.embedded.sources import Source, debian_archive, os_release, parse_deb822, parse_one_line
from mlinfn_condor.errors import InstallFailed

SUITE = "forky"
"""Debian's release with HTCondor 25; docs/decisions/0001-private-htcondor.md."""
OTHERWISE = "install HTCondor 25.0 or newer as the manual's chapter 'Getting HTCondor' on htcondor.org tells"

_KEPT_SETTINGS = ("Acquire::http", "Acquire::https", "Acquire::Retries", "Acquire::Check-", "Acquire::Force")
"""The user's own apt settings that count here: proxies, certificates, time-outs. His hooks and pins don't."""

_CURES = (
    ("No space left on device|enough free space", "the disk is full: free {space} or set MLINFN_HOME to another disk"),
    (
        "Hash Sum mismatch|unexpected size|Clearsigned file isn't valid",
        "a download arrived damaged (a proxy, or a mirror in the middle of an update): try again in some minutes",
    ),
    (
        "NO_PUBKEY|EXPKEYSIG|not signed|couldn't be verified|not available on this system|BADSIG|REVKEYSIG",
        "the archive's signature could not be verified: update the package debian-archive-keyring",
    ),
    (
        "Unable to locate package|no installation candidate|doesn't support architecture",
        f"Debian has no HTCondor 25 for this machine's architecture: {OTHERWISE}",
    ),
    (
        "Could not resolve|resolving|Could not connect|Unable to connect|Cannot initiate|Could not wait for server"
        "|[Cc]onnection (?:failed|timed out)|Network is unreachable|Proxy",
        "the package archive cannot be reached: check the network and apt's proxy settings, then try again",
    ),
    (
        "is expired|is not valid yet",
        "the package archive and this machine's clock disagree: set the clock, or use a mirror that is kept up to date",
    ),
    (
        "Release file|404",
        f"this machine's package mirror does not carry Debian's suite {{suite}}: use a full mirror, or {OTHERWISE}",
    ),
)
"""What apt complains about and what a person can do, in the order of asking: a full disk also breaks hashes."""

OS_RELEASE = Path("/etc/os-release")
"""What system this is."""
SPACE = "500 MB"


@dataclass(frozen=True)
class PrivateApt:
    """An apt that believes that nothing is installed, and keeps everything in one folder."""

    folder: Path
    suite: str = SUITE

    @property
    def packages(self) -> Path:
        """Folder of the downloaded packages."""
        return self.folder / "cache" / "archives"

    def write(self, archive: Source, architecture: str, settings: Sequence[str]) -> None:
        """Its configuration. `settings` are lines of the machine's own that shall hold here, too."""
        for part in ("lists/partial", "cache/archives/partial", "sources"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "status").touch()
        (self.folder / "sources" / "debian.sources").write_text(archive.at(self.suite))
        own = {
            "Dir::State": self.folder,
            "Dir::State::status": self.folder / "status",
            "Dir::State::lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self.folder / "sources",
            # Hooks and pins of the machine would run, or hold, here: none of its files is read.
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Install-Recommends": "false",
            # By default a first failure passes as a warning, and the index is silently empty.
            "APT::Update::Error-Mode": "any",
            # Run by root, apt would download as another user, who cannot write into this folder.
            "APT::Sandbox::User": "",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::Languages": "none",
            "Debug::NoLocking": "true",
        }
        lines = [f'{name} "{value}";' for name, value in own.items()]
        (self.folder / "apt.conf").write_text("\n".join([*settings, *lines, ""]))

    def update(self) -> None:
        """Fetch the index and verify its signature."""
        self._apt_get("update")

    def sizes(self) -> list[int]:
        """Bytes of each package that HTCondor needs, itself included."""
        listing = self._apt_get("install", "--print-uris", "condor")
        return [int(size) for size in re.findall(r"^'\S+' \S+ (\d+)", listing, re.MULTILINE)]

    def download(self) -> Iterator[float]:
        """Fetch HTCondor and everything it needs; yields the percentage done, now and then."""
        read_end, write_end = os.pipe()
        command = ["apt-get", "-yqq", "-o", f"APT::Status-Fd={write_end}", "install", "--download-only", "condor"]
        with (
            os.fdopen(read_end, errors="replace") as progress,
            (self.folder / "errors").open("w+") as errors,
            subprocess.Popen(
                command,
                env=self._environment,
                pass_fds=[write_end],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            ) as apt,
        ):
            os.close(write_end)
            for line in progress:
                kind, _, percent, *_ = [*line.split(":"), "", "", ""]
                if kind == "dlstatus":
                    yield float(percent)
            if apt.wait() != 0:
                errors.seek(0)
                raise explained(errors.read(), self.suite)

    def download_alone(self, names: Sequence[str]) -> list[Path]:
        """Fetch these packages and nothing that they need; their paths."""
        self._apt_get("download", *names, folder=self.packages)
        return [next(self.packages.glob(f"{name}_*.deb")) for name in names]

    def _apt_get(self, *arguments: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            ["apt-get", "-yqq", *arguments],
            env=self._environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise explained(done.stderr, self.suite)
        return done.stdout

    @property
    def _environment(self) -> dict[str, str]:
        """Messages in English, because they are read by `explained`."""
        return os.environ | {"APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C"}


def fetch(folder: Path, report: Report) -> list[Path]:
    """Download HTCondor and all that it needs into `folder`, signatures verified; the packages' paths."""
    apt = PrivateApt(folder)
    apt.write(_machines_archive(), _output("dpkg", "--print-architecture"), _machines_settings())
    with report.step("read Debian's package index"):
        apt.update()
        sizes = apt.sizes()
    total = sum(sizes)
    with report.step(f"download {len(sizes)} packages", total, "B") as step:
        reached = 0
        for percent in apt.download():
            now = max(reached, int(total * percent / 100))
            step.advance(now - reached)
            reached = now
        step.advance(total - reached)
    return sorted(apt.packages.glob("*.deb"))


def fetch_alone(folder: Path, names: Sequence[str], report: Report, suite: str = SUITE) -> list[Path]:
    """Download these packages alone, signatures verified, for programs that need no more than they and every Debian."""
    apt = PrivateApt(folder, suite)
    apt.write(_machines_archive(), _output("dpkg", "--print-architecture"), _machines_settings())
    with report.step("read Debian's package index"):
        apt.update()
    with report.step(f"download {', '.join(names)}"):
        return apt.download_alone(names)


def explained(errors: str, suite: str) -> InstallFailed:
    """apt's complaint as one line that says what to do."""
    for pattern, cure in _CURES:
        if re.search(pattern, errors):
            return InstallFailed("HTCondor was not installed: " + cure.format(space=SPACE, suite=suite))
    complaint = [line for line in errors.splitlines() if line.startswith("E:")] or errors.splitlines() or ["no message"]
    return InstallFailed(f"HTCondor was not installed: apt-get failed with {complaint[-1]}")


def no_program(name: str) -> InstallFailed:
    """A program that every Debian has is missing here."""
    return InstallFailed(f"there is no {name}, this is no Debian system: {OTHERWISE}")


def _machines_archive() -> Source:
    """Debian's archive as this machine's apt sources name it."""
    release = os_release(OS_RELEASE.read_text()) if OS_RELEASE.exists() else {}
    if release.get("ID") != "debian":
        name = release.get("PRETTY_NAME", "this system")
        raise InstallFailed(f"{name} is not Debian, whose packages would be used: {OTHERWISE}")
    answer = _output("apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d")
    places = os_release(answer)
    parts = Path(places["PARTS"])
    lists = [Path(places["LIST"]), *sorted(parts.glob("*.list"))]
    sources = [source for path in lists if path.is_file() for source in parse_one_line(path.read_text())]
    for path in sorted(parts.glob("*.sources")):
        sources += parse_deb822(path.read_text())
    archive = debian_archive(sources, release.get("VERSION_CODENAME", ""))
    if archive is None:
        raise InstallFailed(
            f"apt's sources in {places['LIST']} and {parts} name no Debian archive: add it, or {OTHERWISE}"
        )
    return archive


def _machines_settings() -> list[str]:
    return [line for line in _output("apt-config", "dump").splitlines() if line.startswith(_KEPT_SETTINGS)]


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except FileNotFoundError:
        raise no_program(command[0]) from None
    except subprocess.CalledProcessError as error:
        raise InstallFailed(f"{shlex.join(command)} failed: {error.stderr.strip()}") from error
