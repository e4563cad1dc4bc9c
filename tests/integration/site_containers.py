"""A rendered site's daemons outside of containers: the images' entrypoint, the rendered configuration, made secrets."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from postgres import wait_until

from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.shipped import shipped
from mlinfn_condor.site import condor, platform_files, secrets
from mlinfn_condor.site.first_file import Answers, text
from mlinfn_condor.site.places import Places
from mlinfn_condor.site.settings import Site, parse

ROOT = Path(__file__).parents[2]
PROBES = ROOT / "kubernetes" / "probes"
START = ROOT / "images" / "start"
SITE = text(Answers(issuer="")) + "[numbers]\nslot_report_seconds = 5\n[provisioning.intervals]\nreport_seconds = 5\n"
MOUNTED = {
    "pool-keys": "mlinfn-pool-keys",
    "daemon-token": "mlinfn-daemon-token",
    "hub-token": "mlinfn-hub-token",
    "reader-token": "mlinfn-reader-token",
    "administrator-token": "mlinfn-administrator-token",
    "session-key": "mlinfn-session-key",
    "proxy": "mlinfn-proxy",
    "window": "mlinfn-window-token",
}
"""Folder in a container → Secret, as in the manifests."""


@dataclass(frozen=True)
class Container:
    """One container's files and environment."""

    role: str
    folder: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    def probe(self, name: str, *arguments: str, seconds: int = 5) -> subprocess.CompletedProcess[str]:
        limit = {"MLINFN_PROBE_SECONDS": str(seconds)}
        command = [PROBES / name, *arguments]
        return subprocess.run(
            command, env=self.environment | limit, capture_output=True, text=True, timeout=90, check=False
        )

    def tried(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A tool in this container, started as the container's own program is."""
        return subprocess.run(
            [START, *command], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def run(self, *command: str) -> str:
        """What it prints."""
        done = self.tried(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def holding(self, tokens: Path) -> "Container":
        """The same with another folder of tokens."""
        return replace(self, environment=self.environment | {"_CONDOR_SEC_TOKEN_DIRECTORY": str(tokens)})

    def daemon(self, name: str) -> int:
        """Process id of a child of its master."""
        assert self.process is not None
        told = subprocess.run(["pgrep", "-P", str(self.process.pid), name], capture_output=True, text=True, check=True)
        return int(told.stdout.split()[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def site() -> Site:
    return parse(SITE, "mlinfn.toml")


def made(folder: Path, port: int, role: str, installed: Distribution, **more: str) -> Container:
    """Its files as they would be mounted. `folder` has to be short: sockets lie below it."""
    own = folder / role
    where = Places(
        f"127.0.0.1:{port}",
        etc=own / "etc",
        run=own / "run",
        log=own / "log",
        lib=own / "lib",
        policy=shipped("condor_config.d"),
        bin=installed.bin,
        sbin=installed.sbin,
        libexec=installed.libexec,
        htcondor_lib=installed.lib,
        port=port if role == "central-manager" else 0,
    )
    for path in (where.etc / "condor", where.log, where.lib / "spool", where.growing):
        path.mkdir(parents=True)
    (folder / "shared").mkdir(exist_ok=True)
    where.shared.symlink_to(folder / "shared")
    shutil.copytree(folder / "secrets" / secrets.TOKEN_LIST, where.token_list.parent)
    for name, content in condor.files(site(), where).items():
        (where.etc / "condor" / name).write_text(content)
    for name, secret in MOUNTED.items():
        # Kubernetes gives files to a group, which is more than HTCondor believes.
        shutil.copytree(folder / "secrets" / secret, where.etc / "secrets" / name)
        for file in (where.etc / "secrets" / name).iterdir():
            file.chmod(0o440)
    run = where.run / "condor"
    for name, content in platform_files.hub(site(), where).items():
        (where.etc / "hub").mkdir(exist_ok=True)
        (where.etc / "hub" / name).write_text(content)
    environment = {
        "PATH": f"{installed.bin}:{installed.sbin}:{os.environ['PATH']}",
        "HOME": str(own),
        "CONDOR_CONFIG": str(where.etc / "condor" / "condor_config"),
        "MLINFN_ROLE": role,
        "MLINFN_SECRETS_FROM": str(where.etc / "secrets"),
        "MLINFN_SECRETS_TO": str(where.secrets),
        "MLINFN_FOLDERS": f"{run} {run}/lock {run}/sockets {run}/execute",
        # A pod has one address; here all share the machine's, and nothing leaves it.
        "_CONDOR_NETWORK_INTERFACE": "127.0.0.1",
        "_CONDOR_BIND_ALL_INTERFACES": "false",
        "_CONDOR_ENABLE_IPV6": "false",
    }
    return Container(role, own, environment | more)


@contextmanager
def running(container: Container, *command: str) -> Iterator[Container]:
    """With this as its program, `condor_master -f` by default; gone afterwards."""
    with (container.folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [START, *(command or ("condor_master", "-f"))], env=container.environment, stdout=output, stderr=output
        )
    try:
        yield Container(container.role, container.folder, container.environment, process)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def pool(folder: Path, installed: Distribution, **more: str) -> Iterator[dict[str, Container]]:
    """Central manager and both access points, as three containers, and one for clients; `more` is environment."""
    secrets.make(site(), folder / "secrets")
    port = free_port()
    daemons = [made(folder, port, role, installed, **more) for role in ("central-manager", "interactive", "batch")]
    with running(daemons[0]) as manager, running(daemons[1]) as interactive, running(daemons[2]) as batch:
        found = {each.role: each for each in (manager, interactive, batch)}
        try:
            wait_until(lambda: manager.probe("negotiator-negotiated", "60").returncode == 0, 60, "it negotiates")
            for role in ("interactive", "batch"):
                wait_until(
                    lambda r=role: found[r].probe("schedd-answers", f"{r}@").returncode == 0, 20, f"{role} answers"
                )
        except BaseException:
            for each in found.values():
                print((each.folder / "output").read_text()[-2000:])  # noqa: T201
                for log in sorted((each.folder / "log").glob("*Log")):
                    print(each.role, log.name, log.read_text()[-1500:])  # noqa: T201
            raise
        token = {"_CONDOR_SEC_TOKEN_DIRECTORY": str(folder / "client" / "run" / "secrets" / "hub-token")}
        yield found | {"client": made(folder, port, "client", installed, **more, **token)}
