"""Sessions that a rendered site's hub starts for people, each as her own user: what she is in there, what she saves,
what nobody else reads, what she submits. Only root can start sessions as others.

The hub has the capabilities of its pod and no others; its numbers of people are those of /etc.
"""

import contextlib
import json
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests
import tomli_w
import websocket
from as_users import DEVICE, MEMBERS, PEOPLE, PROJECTS, Site
from hub_client import Person
from postgres import wait_until
from site_containers import Container
from site_hub import accounts_of, hub_and_proxy, settle, some_ports, status

from mlinfn_condor.demo.notebook import Kernel, Notebook
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.hub.accounts.account import Account
from mlinfn_condor.hub.accounts.passwords import hashed
from mlinfn_condor.hub.tokens import token_file
from mlinfn_condor.session.folder import SessionFolder

pytestmark = pytest.mark.root

PASSWORD = "tavo-rimi-kelu-sano"
CAPABILITIES = "-all,+chown,+dac_override,+fowner,+fsetid"
"""Of kubernetes/base/hub.yaml."""
LIMITED = ("setpriv", "--no-new-privs", "--bounding-set", CAPABILITIES, "--inh-caps", CAPABILITIES)
SMALL = {"cpus": 1, "memory_mb": 1000}
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
COMMAND = """
import subprocess
done = subprocess.run({words!r}, capture_output=True, text=True)
print(done.stdout + done.stderr)
print("exit code", done.returncode)
"""
PLACES = ("HOME", "JUPYTER_RUNTIME_DIR", "MLINFN_SCRATCH", "TMPDIR")
OWNERS = f"""
import json, os, pathlib
places = {{name: pathlib.Path(os.environ[name]) for name in {PLACES}}}
print(json.dumps({{name: (path.owner(), path.stat().st_mode & 0o077) for name, path in places.items()}}))
"""
DASK = """
import getpass
from distributed import Client
from mlinfn_condor.dask import Cluster
with Cluster(interface="lo") as cluster, Client(cluster) as client:
    cluster.scale(1)
    client.wait_for_workers(1, timeout=60)
    print(client.submit(getpass.getuser).result(timeout=30), "sum", client.submit(sum, range(101)).result(timeout=30))
"""
SAVES = "trap 'sleep 5; echo saved; exit 85' TERM; echo began; sleep 600 & wait"
LINK = "import os; os.symlink(os.environ['MLINFN_PROJECT_FOLDER'], 'alpha')"


@dataclass
class Session:
    """Of one person, who reaches it through the proxy as her browser does."""

    person: Person
    token: str
    folder: SessionFolder

    @property
    def home(self) -> Path:
        return self.folder.path.parents[2]

    @property
    def url(self) -> str:
        return f"{self.person.url}user/{self.person.name}/"

    @contextmanager
    def kernel(self) -> Iterator[Kernel]:
        server = self.folder.server_or_none()
        assert server is not None
        with Notebook(replace(server, url=self.url), self.token).kernel() as kernel:
            yield kernel

    def ask(self, method: str, path: str, content: object = None) -> requests.Response:
        headers = {"Authorization": f"token {self.token}"}
        return requests.request(method, f"{self.url}api/{path}", json=content, headers=headers, timeout=60)

    def save(self, path: str) -> int:
        """HTTP status."""
        told = {"type": "notebook", "format": "json", "content": NOTEBOOK}
        return self.ask("PUT", f"contents/{path}", told).status_code


@dataclass
class Hub:
    site: Site
    container: Container
    url: str

    def session(self, name: str, **options: str) -> Session:
        """A new one, that answers."""
        person = Person(self.url, name, PASSWORD)
        events = person.start(**(options or SMALL))
        try:
            assert events[-1].get("ready"), events
        except BaseException:
            self.tell()
            raise
        asked = {"note": "test", "expires_in": 3600}
        made = person.ask("POST", f"api/users/{name}/tokens", json=asked, params={"_xsrf": person._xsrf})
        (folder,) = (self.site.folder / "homes" / name / ".mlinfn" / "sessions").iterdir()
        return Session(person, made.json()["token"], SessionFolder(folder))

    def tell(self) -> None:
        logs = [self.container.folder / "output", *self.site.folder.glob("homes/*/.mlinfn/sessions/*/*.err")]
        for log in logs:
            print(log, log.read_text()[-3000:])  # noqa: T201


@pytest.fixture(scope="module")
def hub(at_work: Site, installed: Distribution) -> Iterator[Hub]:
    folder, ports = at_work.folder, some_ports()
    secrets = at_work.client.folder / "run" / "secrets" / "hub-token"
    client = at_work.client.holding(secrets)
    settle(client, folder, ports, {})
    file = client.folder / "etc" / "hub" / "hub.toml"
    settings = tomllib.loads(file.read_text())
    # What is not here: a register of people, and an NFS server.
    del settings["accounts"]["identity"]
    settings["storage"] = {"provider": "local", "root": str(folder)}
    settings["sessions"] |= {"ip": "127.0.0.1", "path": str(installed.bin), "queue_timeout_seconds": 60}
    file.write_text(tomli_w.dumps(settings))
    with accounts_of(client).change() as accounts:
        for name in PEOPLE:
            accounts[name] = Account(projects=MEMBERS[name], password=hashed(PASSWORD))
    with hub_and_proxy(client, folder, ports, LIMITED) as started:
        found = Hub(at_work, started, f"http://127.0.0.1:{ports['public']}/")
        try:
            wait_until(lambda: status(ports["public"], "/hub/health") == 200, 90, "the hub answers through its proxy")
        except BaseException:
            found.tell()
            raise
        yield found


@pytest.fixture(scope="module")
def alice(hub: Hub) -> Session:
    return hub.session("alice")


@pytest.fixture(scope="module")
def kernel(alice: Session) -> Iterator[Kernel]:
    with alice.kernel() as running:
        yield running


def told(kernel: Kernel, code: str) -> str:
    cell = kernel.run(code)
    assert cell.status == "ok", cell.outputs
    return "".join(cell.outputs)


def tried(kernel: Kernel, *words: str) -> str:
    """What a command says, and `exit code N`."""
    return told(kernel, COMMAND.format(words=list(words)))


def command(kernel: Kernel, *words: str) -> str:
    said, _, code = tried(kernel, *words).rpartition("exit code ")
    assert code.strip() == "0", said
    return said.strip()


def owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def processes(user: str) -> list[str]:
    done = subprocess.run(["pgrep", "-a", "-u", str(PEOPLE[user])], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def test_kernels_of_a_session_are_its_users_and_so_are_the_places_they_work_in(at_work, kernel):
    assert command(kernel, "id", "-un") == "alice"
    assert set(command(kernel, "id", "-Gn").split()) == {"alice", "alpha"}
    assert command(kernel, "pwd") == str(at_work.folder / "homes" / "alice")
    assert json.loads(told(kernel, OWNERS)) == {place: ["alice", 0] for place in PLACES}


def test_terminals_are_its_users(alice):
    name = alice.ask("POST", "terminals").json()["name"]
    address = f"{alice.url.replace('http', 'ws', 1)}terminals/websocket/{name}"
    header = [f"Authorization: token {alice.token}"]
    with contextlib.closing(websocket.create_connection(address, header=header, timeout=60)) as terminal:
        terminal.send(json.dumps(["stdin", "echo $(id -un) in $PWD >who\r"]))
        said = alice.home / "who"
        wait_until(lambda: said.exists() and said.read_text() == f"alice in {alice.home}\n", 60, "it says so")


def test_a_notebook_is_hers_and_in_her_projects_folder_its_members_change_it_too(at_work, hub, alice, kernel):
    assert alice.save("own.ipynb") == 201
    assert owner(alice.home / "own.ipynb") == (PEOPLE["alice"], PEOPLE["alice"])
    told(kernel, LINK)
    assert alice.save("alpha/shared.ipynb") == 201
    shared = at_work.project / "shared.ipynb"
    assert owner(shared) == (PEOPLE["alice"], PROJECTS["alpha"])
    bob = hub.session("bob")
    with bob.kernel() as his:
        told(his, LINK)
    assert bob.save("alpha/shared.ipynb") == 200
    assert alice.save("alpha/shared.ipynb") == 200
    assert owner(shared) == (PEOPLE["alice"], PROJECTS["alpha"])
    bob.person.stop()


def test_a_device_goes_from_one_users_job_to_anothers_session_which_waits_for_it(at_work, hub):
    file = at_work.written("carol", "training", SAVES, "request_gpus = 1")
    output = file.with_suffix(".out")
    submitted = at_work.run_as("carol", "condor_submit", "-name", "batch@", str(file))
    assert submitted.returncode == 0, submitted.stderr
    wait_until(lambda: output.exists() and "began" in output.read_text(), 60, "she has the device")
    bob = hub.session("bob", model="T4")
    with bob.kernel() as kernel:
        assert told(kernel, "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])").endswith(f"{DEVICE.id}\n")
    assert output.read_text() == "carol\nbegan\nsaved\n"
    at_work.run_as("carol", "condor_rm", "-name", "batch@", "carol")
    bob.person.stop()


def test_all_that_hub_and_session_wrote_for_each_other_is_hers_alone(alice):
    found = {path: path.lstat() for path in [alice.folder.path.parent, *alice.folder.path.parent.rglob("*")]}
    assert {"env.json", "server.json", "tls.key", "session.log"} <= {path.name for path in found}
    assert {(stat.st_uid, stat.st_gid) for stat in found.values()} == {(PEOPLE["alice"], PEOPLE["alice"])}
    secret = [path for path in found if path.suffix in {".key", ".crt"} or path.parent.name == "tokens.d"]
    secret += [alice.folder.environment_file, alice.folder.path]
    assert {path for path in secret if found[path].st_mode & 0o077} == set()


def test_another_users_job_neither_reads_nor_disturbs_a_session(at_work, alice, kernel):
    server, token = alice.folder.server_or_none(), token_file(alice.folder.path, "alice")
    scratch = told(kernel, "import os; print(os.environ['JUPYTER_RUNTIME_DIR'])").strip()
    names = ("env.json", "server.json", "tls.key", "session.log")
    files = [token, *(alice.folder.path / name for name in names)]
    assert all(file.is_file() for file in files)
    tries = [f"cat {file}" for file in files]
    tries += [f"ls {alice.folder.path}", f"ls {scratch}", f"cat /proc/{server.pid}/environ"]
    printed, complained = at_work.job("bob", "spy", "; ".join([*tries, f"/bin/kill -0 {server.pid}"]))
    assert (printed, complained.count("Permission denied")) == ("bob\n", len(tries)), complained
    assert "Operation not permitted" in complained


def test_in_the_session_the_pool_answers_to_her(kernel):
    asked = ("condor_q", "-name", "interactive@", "-af", "Owner", "User", "PriorityClass")
    assert command(kernel, *asked) == "alice alice@ml.example.org interactive"
    assert "interactive" in command(kernel, "mlinfn", "status")


def test_a_job_from_the_session_runs_as_her_and_lands_in_her_home(at_work, alice, kernel):
    file = at_work.written("alice", "from-session", "pwd")
    command(kernel, "condor_submit", "-name", "batch@", str(file))
    assert at_work.ended("alice", "from-session") == (f"alice\n{alice.home}\n", "")
    assert owner(alice.home / "from-session.out") == (PEOPLE["alice"], PEOPLE["alice"])


def test_workers_of_a_dask_cluster_in_the_session_are_hers(kernel):
    assert told(kernel, DASK).split() == ["alice", "sum", "5050"]


def test_in_the_session_nobody_acts_as_another(at_work, kernel):
    file = at_work.written("bob", "waiting", "true", "hold = true")
    submitted = at_work.run_as("bob", "condor_submit", "-terse", "-name", "batch@", str(file))
    number = submitted.stdout.split(" ", 1)[0]
    assert "exit code 0" not in tried(kernel, "condor_rm", "-name", "batch@", number)
    forged = at_work.written("alice", "forged", "true", '+Owner = "bob"')
    assert "exit code 0" not in tried(kernel, "condor_submit", "-name", "batch@", str(forged))
    assert at_work.run_as("bob", "condor_q", "-name", "batch@", "-af", "Owner", "JobStatus").stdout == "bob 5\n"


def test_a_session_that_is_stopped_leaves_no_job_and_no_process(at_work, alice):
    assert processes("alice")
    alice.person.stop()
    wait_until(lambda: not processes("alice"), 30, "no process of hers is left")
    queue = at_work.run_as("alice", "condor_q", "-name", "interactive@", "-af", "Owner")
    assert (queue.returncode, queue.stdout) == (0, "")
    assert not alice.folder.server_file.exists()


def test_access_points_and_the_negotiator_did_not_wait_for_each_other(at_work, kernel):
    logs = [
        log.read_text() for role in ("interactive", "batch") for log in (at_work.folder / role / "log").glob("*Log")
    ]
    assert "\n".join(logs).count("Negotiating for Submitter") > 1
    assert [line for log in logs for line in log.splitlines() if "authentication with negotiator" in line] == []
