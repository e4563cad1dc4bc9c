"""Inside a hub's session on a real pool: HTCondor's commands, its bindings and Dask work at once, as the user alone."""

import base64
import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import websocket

from mlinfn_condor.demo.notebook import Kernel, Notebook
from mlinfn_condor.demo.visitor import Visitor
from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.session.folder import SessionFolder
from mlinfn_condor.settings import Settings

pytest.importorskip("dask_jobqueue")

HELD = """executable = /bin/sleep
arguments = 0
transfer_executable = false
should_transfer_files = NO
hold = true
+PriorityClass = "{priority_class}"
queue
"""
DASHBOARD = """
from mlinfn_condor.dask import Cluster
cluster = Cluster()
print(cluster.dashboard_link)
"""
COMMAND = """
import subprocess
done = subprocess.run({words!r}, input={given!r}, capture_output=True, text=True)
print(done.stdout + done.stderr)
print("exit code", done.returncode)
"""
BINDINGS = """
import htcondor2
schedd = htcondor2.Schedd(htcondor2.Collector().locate(htcondor2.DaemonType.Schedd, "batch@"))
result = schedd.submit(htcondor2.Submit({description!r}))
(job,) = schedd.query(f"ClusterId == {{result.cluster()}}", ["Owner", "Project", "AccountingGroup"])
print(job["Owner"], job["Project"], job["AccountingGroup"])
"""
DASK = """
from dask_jobqueue import HTCondorCluster
from distributed import Client
with HTCondorCluster() as cluster, Client(cluster) as client:
    cluster.scale(1)
    client.wait_for_workers(1, timeout=25)
    print("sum", client.submit(sum, range(101)).result(timeout=25))
"""


@pytest.fixture(scope="module")
def settings(pool_home: Path) -> Settings:
    return Settings(home=pool_home, pool="tools")


@pytest.fixture(scope="module")
def hub(settings: Settings) -> Iterator[RunningHub]:
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def alice(hub: RunningHub) -> Visitor:
    """Signed in, with a session that answers."""
    visitor = Visitor.sign_in(hub, "alice")
    events = list(visitor.start())
    assert events[-1].get("ready"), events
    return visitor


@pytest.fixture(scope="module")
def folder(hub: RunningHub, alice: Visitor) -> SessionFolder:
    """Through which hub and session speak."""
    (found,) = hub.layout.pool.homes.glob("alice/.mlinfn/sessions/*")
    return SessionFolder(found)


@pytest.fixture(scope="module")
def kernel(hub: RunningHub, alice: Visitor, folder: SessionFolder) -> Iterator[Kernel]:
    """A kernel in alice's session, reached as her browser reaches it."""
    server = folder.server_or_none()
    assert server is not None
    notebook = Notebook(replace(server, url=f"{hub.url}user/alice/"), alice.token)
    with notebook.kernel() as running:
        yield running


@pytest.fixture(scope="module")
def bobs_job(settings: Settings, hub: RunningHub) -> str:
    """A job of bob's at the batch access point, `12.0`."""
    done = subprocess.run(
        ["condor_submit", "-terse", "-name", "batch@", "-"],
        env=os.environ | pools.environment(settings, "bob"),
        input=HELD.format(priority_class="batch"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(" ", 1)[0].strip()


def told(kernel: Kernel, code: str) -> str:
    cell = kernel.run(code)
    assert cell.status == "ok", cell.outputs
    return "".join(cell.outputs)


def command(kernel: Kernel, *words: str, given: str = "") -> str:
    return told(kernel, COMMAND.format(words=list(words), given=given))


def test_condor_q_shows_the_session_itself(kernel: Kernel) -> None:
    said = command(kernel, "condor_q", "-name", "interactive@", "-af", "Owner", "PriorityClass")
    assert "alice interactive\n" in said
    assert "exit code 0" in said


def test_condor_submit_queues_a_job_of_the_users_own(kernel: Kernel) -> None:
    said = command(kernel, "condor_submit", "-terse", "-name", "batch@", "-", given=HELD.format(priority_class="batch"))
    assert "exit code 0" in said
    number = said.split(" ", 1)[0]
    fields = ["-af", "Owner", "Project", "AccountingGroup"]
    assert "alice alpha group_batch.alpha.alice" in command(kernel, "condor_q", "-name", "batch@", number, *fields)


def test_the_bindings_submit_and_ask(kernel: Kernel) -> None:
    description = HELD.format(priority_class="batch")
    assert told(kernel, BINDINGS.format(description=description)).split() == [
        "alice",
        "alpha",
        "group_batch.alpha.alice",
    ]


def test_a_dask_cluster_computes(kernel: Kernel) -> None:
    assert "sum 5050" in told(kernel, DASK)


@pytest.fixture
def dashboard(hub: RunningHub, kernel: Kernel) -> Iterator[str]:
    """Where alice's browser finds the dashboard of a cluster in her session."""
    yield hub.url.removesuffix("/") + told(kernel, DASHBOARD).strip()
    told(kernel, "cluster.close()")


def test_the_dashboard_is_at_the_hubs_address_for_its_user_alone(
    hub: RunningHub, alice: Visitor, dashboard: str
) -> None:
    assert dashboard.startswith(f"{hub.url}user/alice/proxy/"), "a path behind the hub"
    bob = Visitor.sign_in(hub, "bob")
    answers = {
        name: requests.get(dashboard, headers=headers, timeout=30, allow_redirects=False)
        for name, headers in {
            "alice": {"Authorization": f"token {alice.token}"},
            "bob": {"Authorization": f"token {bob.token}"},
            "nobody": {},
        }.items()
    }
    assert answers["alice"].status_code == 200, answers["alice"].text
    assert "Dask" in answers["alice"].text
    # A browser that nobody is signed in with is sent to the hub, which asks who it is.
    assert answers["nobody"].status_code in (302, 403)
    assert answers["bob"].status_code == 403
    assert "Dask" not in answers["bob"].text + answers["nobody"].text
    live = dashboard.replace("http", "ws", 1) + "/ws"
    with contextlib.closing(
        websocket.create_connection(
            live, header=[f"Authorization: token {alice.token}"], subprotocols=["bokeh"], timeout=30
        )
    ) as pages:
        assert pages.getstatus() == 101
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(live, header=[f"Authorization: token {bob.token}"], timeout=30)


def test_the_class_of_sessions_is_not_to_be_had_among_batch(kernel: Kernel) -> None:
    wish = HELD.format(priority_class="interactive")
    said = command(kernel, "condor_submit", "-terse", "-name", "batch@", "-", given=wish)
    assert "exit code 0" not in said, said


def test_another_users_job_is_neither_removed_nor_changed(
    kernel: Kernel, settings: Settings, hub: RunningHub, bobs_job: str
) -> None:
    assert "exit code 0" not in command(kernel, "condor_rm", "-name", "batch@", bobs_job)
    assert "exit code 0" not in command(kernel, "condor_qedit", "-name", "batch@", bobs_job, "JobPrio", "7")
    left = subprocess.run(
        ["condor_q", "-name", "batch@", bobs_job, "-af", "Owner", "JobStatus", "JobPrio"],
        env=os.environ | pools.environment(settings, "bob"),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert left.stdout.split() == ["bob", "5", "0"]


def test_the_token_is_the_users_own_ends_soon_and_is_nobody_elses_to_read(
    hub: RunningHub, folder: SessionFolder
) -> None:
    (file,) = (folder.path / "condor" / "tokens.d").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert folder.path.stat().st_mode & 0o077 == 0
    content = file.read_text().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    assert claims["sub"].partition("@")[0] == "alice"
    assert claims["exp"] <= time.time() + hub.settings.accounts.token_seconds


def test_no_other_identity_is_within_reach(kernel: Kernel) -> None:
    said = told(
        kernel,
        "import os; print(sorted(n for n in os.environ if 'CLIENT_SECRET' in n or 'REFRESH' in n or 'SIGNING' in n))",
    )
    assert said.strip() == "[]"
