"""A rendered site on which three people work as their own users: access points and a node with the capabilities of
their pods and no others. Only root can start jobs as others. People are in this process's own view of /etc.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from postgres import wait_until
from site_containers import ROOT, Container, free_port, made, running, site

from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.hub.accounts.project_map import render
from mlinfn_condor.hub.accounts.project_map import write as write_map
from mlinfn_condor.hub.tokens import Issuer, token_file
from mlinfn_condor.hub.tokens import write as write_token
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device
from mlinfn_condor.shipped import shipped
from mlinfn_condor.site import condor, secrets
from mlinfn_condor.site.condor import SCHEDULES
from mlinfn_condor.site.places import CONDOR_GROUP, Places
from mlinfn_condor.storage.homes import LocalHomes, Owner

DOMAIN = "ml.example.org"
PEOPLE = {"alice": 20001, "bob": 20002, "carol": 20003}
PROJECTS = {"alpha": 20010, "beta": 20011}
MEMBERS = {"alice": ("alpha",), "bob": ("alpha",), "carol": ("beta",)}
CAPABILITIES = "-all,+chown,+dac_override,+fowner,+kill,+setgid,+setuid"
"""Of kubernetes/base/access-points.yaml and glidein/pod.yaml."""
LIMITED = ("setpriv", "--no-new-privs", "--bounding-set", CAPABILITIES, "--inh-caps", CAPABILITIES)
DEVICE = Device("GPUs", "GPU-n1-T4", "T4", "Simulated T4", 15360, simulated=True)
NEW_NAMESPACE = 0x20000
"""CLONE_NEWNS of unshare(2)."""
SUBMIT = """executable = {file}.sh
transfer_executable = false
should_transfer_files = NO
initialdir = {home}
log = {file}.log
output = {file}.out
error = {file}.err
request_cpus = 1
request_memory = 64
+PriorityClass = "batch"
{more}queue
"""


@dataclass
class Site:
    """Where people submit."""

    folder: Path
    client: Container

    @property
    def project(self) -> Path:
        return self.folder / "projects" / "alpha"

    def job(self, user: str, name: str, script: str) -> tuple[str, str]:
        """What a job of his prints, and complains of."""
        file = self.written(user, name, script)
        submitted = self.run_as(user, "condor_submit", "-name", "batch@", str(file))
        assert submitted.returncode == 0, submitted.stderr
        return self.ended(user, name)

    def written(self, user: str, name: str, script: str, *lines: str) -> Path:
        """The submit file of a job of his, in his home; `lines`: further ones."""
        home = self.folder / "homes" / user
        file = home / name
        file.with_suffix(".sh").write_text(f"#!/bin/sh\nid -un; {script}\n")
        file.with_suffix(".sh").chmod(0o755)
        text = SUBMIT.format(file=file, home=home, more="".join(f"{line}\n" for line in lines))
        file.with_suffix(".sub").write_text(text)
        file.with_suffix(".sub").chmod(0o644)
        return file.with_suffix(".sub")

    def ended(self, user: str, name: str) -> tuple[str, str]:
        """What the job printed, and complained of, once it has ended."""
        file = self.folder / "homes" / user / name
        ended = self.run_as(user, "condor_wait", "-wait", "90", f"{file}.log")
        assert ended.returncode == 0, file.with_suffix(".log").read_text()
        return file.with_suffix(".out").read_text(), file.with_suffix(".err").read_text()

    def run_as(self, user: str, *command: str) -> subprocess.CompletedProcess[str]:
        uid, gids = PEOPLE[user], [PEOPLE[user], *(PROJECTS[one] for one in MEMBERS[user])]
        return self._with(uid, gids, tokens_of(self.folder, user).parent, command)

    def run_as_role(self, role: str, *command: str) -> subprocess.CompletedProcess[str]:
        """`schedules` or `administrator`, as in kubernetes/base/services.yaml: the account is condor."""
        tokens = self.folder / f"tokens-of-{role}"
        shutil.copytree(self.folder / "secrets" / f"mlinfn-{role}-token", tokens, dirs_exist_ok=True)
        for path in (tokens, *tokens.iterdir()):
            os.chown(path, CONDOR_GROUP, CONDOR_GROUP)
        return self._with(CONDOR_GROUP, [CONDOR_GROUP], tokens, command)

    def _with(
        self, uid: int, gids: Sequence[int], tokens: Path, command: Sequence[str]
    ) -> subprocess.CompletedProcess[str]:
        who = ["setpriv", f"--reuid={uid}", f"--regid={gids[0]}", f"--groups={','.join(map(str, gids))}"]
        environment = self.client.environment | {"_CONDOR_SEC_TOKEN_DIRECTORY": str(tokens)}
        return subprocess.run(
            [*who, *command], env=environment, capture_output=True, text=True, timeout=120, check=False
        )


def tokens_of(folder: Path, user: str) -> Path:
    return token_file(folder / "tokens" / user, user)


@pytest.fixture(scope="session")
def people() -> Iterator[Path]:
    """A folder that everybody may enter; and passwd and group as pods have them, for this process and its children."""
    libc = ctypes.CDLL(None, use_errno=True)
    private = ["mount", "--make-rprivate", "/"]
    if libc.unshare(NEW_NAMESPACE) != 0 or subprocess.run(private, capture_output=True, check=False).returncode != 0:
        pytest.skip("this root has no namespaces of its own")
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    folder.chmod(0o755)
    # Accounts of the access points' image, by name alone where it leaves the number to the system.
    of_image = re.findall(r"useradd --system .* (\w+) \\$", (ROOT / "images" / "Containerfile").read_text(), re.M)
    users = {name: 990 + place for place, name in enumerate(of_image)} | {"condor": CONDOR_GROUP} | PEOPLE
    passwd = "".join(f"{name}:x:{uid}:{uid}::{folder}/homes/{name}:/bin/sh\n" for name, uid in users.items())
    groups = "".join(f"{name}:x:{uid}:\n" for name, uid in users.items()) + "".join(
        f"{name}:x:{gid}:{','.join(who for who in MEMBERS if name in MEMBERS[who])}\n" for name, gid in PROJECTS.items()
    )
    for name, text in (("passwd", passwd), ("group", groups)):
        (folder / name).write_text(Path("/etc", name).read_text() + text)
        subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)
    yield folder
    for name in ("passwd", "group"):
        subprocess.run(["umount", f"/etc/{name}"], check=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def at_work(installed: Distribution, people: Path) -> Iterator[Site]:
    if not all(path.stat().st_mode & 0o001 for path in [installed.bin, *installed.bin.parents]):
        pytest.skip(f"others may not enter {installed.bin}: set MLINFN_HOME to a folder that they may")
    folder, port = people, free_port()
    secrets.make(site(), folder / "secrets")
    homes = LocalHomes(folder)
    homes.ready()
    for user, uid in PEOPLE.items():
        homes.home(user, Owner(uid, uid))
    for project, gid in PROJECTS.items():
        homes.project(project, gid)
    roles = ("central-manager", "interactive", "batch", "client")
    manager, interactive, batch, client = (pod(folder, port, role, installed) for role in roles)
    for path in (client.folder, *client.folder.glob("etc/**/*")):
        if "secrets" not in path.parts:
            path.chmod(0o755 if path.is_dir() else 0o644)
    let_in(folder)
    with ExitStack() as stack:
        for each in (manager, interactive, batch):
            stack.enter_context(running(each, *LIMITED, "condor_master", "-f"))
        for each, role in ((interactive, "hub"), (batch, SCHEDULES)):
            answers = ("schedd-answers", f"{each.role}@")
            wait_until(lambda e=each, a=answers: e.probe(*a).returncode == 0, 60, f"{each.role} answers")
            each.probe("introduce", f"{each.role}@", "admin", role, seconds=20)
        stack.enter_context(node(folder, port, installed))
        tokens = client.holding(folder / "client" / "run" / "secrets" / "administrator-token")
        wait_until(lambda: "n1" in tokens.tried("condor_status", "-af", "Name").stdout, 60, "the node has come")
        yield Site(folder, client)


def pod(folder: Path, port: int, role: str, installed: Distribution) -> Container:
    """Its files with the owners and modes that Kubernetes gives them: fsGroup, folders in memory, a mounted Secret."""
    container = made(folder, port, role, installed)
    for name, mode in {"lib/spool": 0o2775, "lib/growing": 0o2777, "run": 0o2777, "log": 0o2777}.items():
        (container.folder / name).mkdir(exist_ok=True)
        os.chown(container.folder / name, 0, CONDOR_GROUP)
        (container.folder / name).chmod(mode)
    mounted = container.folder / "etc" / "tokens"
    mounted.chmod(0o755)
    for file in mounted.iterdir():
        os.chown(file, 0, CONDOR_GROUP)
        file.chmod(0o440)
    return container


def let_in(folder: Path) -> None:
    """As the hub does: lists, the map of projects, a token for each."""
    issuer, now = Issuer(folder / "secrets" / "mlinfn-session-key" / "sessions", DOMAIN), int(time.time())
    listed = "".join(map(issuer.listed, PEOPLE))
    for place in ("shared", "central-manager/lib/growing"):
        write_map(folder / place / "people-tokens.map", listed, 0o640, CONDOR_GROUP)
    write_map(folder / "shared" / "projects.map", render(MEMBERS))
    for user, uid in PEOPLE.items():
        (folder / "tokens" / user).mkdir(parents=True, mode=0o755)
        write_token(folder / "tokens" / user, issuer.token(user, now + 3600, now - 60))
        for path in (folder / "tokens" / user, *(folder / "tokens" / user).rglob("*")):
            os.chown(path, uid, uid)
    (folder / "tokens").chmod(0o755)


def node(folder: Path, port: int, installed: Distribution) -> ExitStack:
    """A glidein with a simulated device, and its pod's capabilities."""
    own = folder / "node"
    (own / "token").mkdir(parents=True, mode=0o700)
    shutil.copy(folder / "secrets" / "mlinfn-glidein-token" / "glidein", own / "token")
    Node("n1", 24, 48000, (DEVICE,)).write(own / "node.json")
    values = condor.for_nodes(site(), Places(f"127.0.0.1:{port}"))
    libexec = str(shipped("glidein") / "libexec")
    quick = "MLINFN_GLIDEIN_REPORT_SECONDS = 1\n"
    (own / "site.conf").write_text(values.replace("/usr/share/mlinfn/libexec", libexec) + quick)
    told = {
        "name": "n1", "kind": "cpu", "site": "example", "collector": f"127.0.0.1:{port}", "domain": DOMAIN,
        "tokens": own / "token", "address": "127.0.0.1", "description": own / "node.json", "devices": "T4:1",
        "site_config": own / "site.conf", "htcondor": installed.release_dir, "work": own / "w", "words": own / "words",
    }  # fmt: skip
    environment = os.environ | {f"MLINFN_GLIDEIN_{name.upper()}": str(value) for name, value in told.items()}
    command = [*LIMITED, shipped("glidein") / "entrypoint"]
    with (own / "output").open("w") as output:
        process = subprocess.Popen(command, env=environment | {"MLINFN_PYTHON": sys.executable}, stderr=output)

    def end() -> None:
        process.terminate()
        process.wait(60)

    stack = ExitStack()
    stack.callback(end)
    return stack
