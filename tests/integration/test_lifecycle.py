"""An embedded pool comes, goes, comes back, and leaves nothing behind."""

import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle, processes
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.errors import EmbeddedPoolError
from mlinfn_condor.settings import Settings

BATCH = PriorityClass.BATCH


NUMBERS = itertools.count(1)


@pytest.fixture
def settings(pool_home: Path) -> Iterator[Settings]:
    """A pool that never was up before."""
    chosen = Settings(home=pool_home, pool=f"coming{next(NUMBERS)}")
    yield chosen
    lifecycle.down(chosen, graceful_seconds=0)


def layout(settings: Settings) -> Layout:
    return Layout(settings.pool_folder)


def test_a_second_up_finds_the_first_pool(settings: Settings) -> None:
    assert not lifecycle.up(settings).found
    pid = processes.master(layout(settings))
    assert lifecycle.up(settings).found
    assert processes.master(layout(settings)) == pid


def test_two_ups_at_once_bring_up_one_pool(settings: Settings) -> None:
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(lifecycle.up(settings).found)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(found) == [False, True]


def test_down_leaves_no_process_and_jobs_go_on_after_the_next_up(settings: Settings, tmp_path: Path) -> None:
    driver = Driver(lifecycle.up(settings), tmp_path)
    (job,) = driver.submit(request_gpus=1, leave_seconds=1)
    job.wait_for("computing", 60)

    assert lifecycle.down(settings)
    assert list(processes.members(layout(settings))) == []
    assert job.has("left")

    lifecycle.up(settings)
    job.wait_for("computing", 60, count=2)


def test_after_a_kill_of_everything_the_queue_is_still_there(settings: Settings, tmp_path: Path) -> None:
    driver = Driver(lifecycle.up(settings), tmp_path)
    jobs = driver.submit(count=2, request_gpus=3)
    jobs[0].wait_for("computing", 60)
    lifecycle.down(settings, graceful_seconds=0)
    lifecycle.up(settings)
    assert len(wait_until(lambda: driver.jobs(BATCH), 30, "the queue")) == 2


def test_a_port_that_somebody_took_is_replaced(settings: Settings) -> None:
    lifecycle.up(settings)
    lifecycle.down(settings, graceful_seconds=0)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", int(layout(settings).port.read_text())))
        squatter.listen()
        lifecycle.up(settings)


def test_a_pool_that_cannot_come_up_leaves_nothing_and_says_why(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "READY_SECONDS", 3)
    broken = lifecycle.Blueprint(overrides="SEC_DEFAULT_AUTHENTICATION_METHODS = KERBEROS\n")
    with pytest.raises(EmbeddedPoolError, match="did not come up"):
        lifecycle.up(settings, blueprint=broken)
    assert list(processes.members(layout(settings))) == []


def test_secrets_are_for_their_owner_alone(settings: Settings) -> None:
    lifecycle.up(settings)
    files = [path for path in (layout(settings).folder / "secrets").rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_shell_speaks_to_the_pool_as_the_user_asked_for(settings: Settings) -> None:
    lifecycle.up(settings)
    chosen = os.environ | {"MLINFN_HOME": str(settings.home), "MLINFN_POOL": settings.pool}
    chosen.pop("CONDOR_CONFIG", None)
    shell = [sys.executable, "-m", "mlinfn_condor.cli", "pool", "shell", "--user"]
    asked = ["condor_ping", "-name", "batch@", "-type", "schedd", "WRITE"]

    bob = subprocess.run([*shell, "bob", "--", *asked], env=chosen, capture_output=True, text=True)
    nobody = subprocess.run([*shell, "mallory", "--", *asked], env=chosen, capture_output=True, text=True)
    there = [*shell, "bob", "--", "sh", "-c", "command -v mlinfn; echo $MLINFN_CALLED_BY_ROOT"]
    found = subprocess.run(there, env=chosen | {"MLINFN_CALLED_BY_ROOT": "yes"}, capture_output=True, text=True)

    assert f"bob@{settings.pool}" in bob.stdout
    assert nobody.returncode == 1
    assert "knows no user mallory" in nobody.stderr
    assert found.stdout.split() == [str(Path(sys.executable).with_name("mlinfn"))]
