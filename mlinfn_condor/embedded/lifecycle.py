"""Bringing an embedded pool up and down. Each step can be killed and run again."""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import configuration, distribution, ports, processes, secrets
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR, HUB, Blueprint
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.layout import LONGEST_FOLDER, Layout
from mlinfn_condor.embedded.report import Report, SilentReport
from mlinfn_condor.embedded.servers import with_real_devices
from mlinfn_condor.errors import EmbeddedPoolError
from mlinfn_condor.node import images
from mlinfn_condor.node.discovery import discover
from mlinfn_condor.settings import Settings
from mlinfn_condor.shipped import shipped

READY_SECONDS = 90
"""A pool is up within 5 s on an idle machine of 2 cores; the rest is for busy ones."""
GRACEFUL_SECONDS = 45
"""What `down` gives running jobs: the usual checkpoint window and the daemons' own goodbye."""
POLL_SECONDS = 0.2
ACCESS_POINTS = sorted({priority_class.access_point for priority_class in PriorityClass})


@dataclass(frozen=True)
class RunningPool:
    """An embedded pool that answers."""

    layout: Layout
    distribution: Distribution
    settings: Settings
    found: bool
    """True when it was already up."""

    def environment(self, user: str | None = None) -> dict[str, str]:
        """What a client's process needs to speak to this pool as `user`."""
        return environment(self.settings, user)


def up(settings: Settings, report: Report | None = None, blueprint: Blueprint | None = None) -> RunningPool:
    """Bring the pool up, or find it. On failure nothing is left running, and the error names the log line."""
    report, blueprint = report or SilentReport(), blueprint or Blueprint()
    layout = _layout(settings)
    installed = distribution.ensure(settings, report)
    with _exclusive(layout):
        if processes.master(layout) is not None:
            return RunningPool(layout, installed, settings, found=True)
        processes.stop(layout, graceful_seconds=0)
        _write(layout, blueprint, installed)
        with report.step("bring the pool up", total=None):
            _start(layout, installed)
            _wait_until_ready(layout, blueprint, settings)
            _introduce_roles(settings)
    return RunningPool(layout, installed, settings, found=False)


def down(settings: Settings, *, graceful_seconds: float = GRACEFUL_SECONDS) -> bool:
    """Take the pool down: jobs get their window, stay queued, and go on after the next `up`. False if none ran."""
    layout = _layout(settings)
    if not layout.folder.exists():
        return False
    with _exclusive(layout):
        if graceful_seconds > 0 and processes.master(layout) is not None:
            _send_jobs_back(settings, graceful_seconds)
        return processes.stop(layout, graceful_seconds)


def running(settings: Settings) -> RunningPool:
    """The pool that is up."""
    layout = _layout(settings)
    installed = distribution.find(settings)
    if installed is None or processes.master(layout) is None:
        raise EmbeddedPoolError(f"pool {settings.pool} is not up: `mlinfn pool up` starts it")
    return RunningPool(layout, installed, settings, found=True)


def environment(settings: Settings, user: str | None = None) -> dict[str, str]:
    """Variables with which `condor_submit`, `condor_q` and the bindings speak to this pool as `user`."""
    layout = _layout(settings)
    installed = distribution.find(settings)
    if installed is None or not layout.condor_config.exists():
        raise EmbeddedPoolError(f"pool {settings.pool} was never brought up: `mlinfn pool up`")
    user = user or settings.user or _first_user(layout)
    if not layout.tokens_of(user).is_dir():
        known = ", ".join(sorted(path.name for path in layout.tokens_of(user).parent.iterdir()))
        raise EmbeddedPoolError(f"pool {settings.pool} knows no user {user}: one of {known}")
    return {
        "CONDOR_CONFIG": str(layout.condor_config),
        "_CONDOR_SEC_TOKEN_DIRECTORY": str(layout.tokens_of(user)),
        "DASK_CONFIG": str(shipped("submit_templates") / "dask-jobqueue.yaml"),
        # Workers and scheduler of this pool meet on loopback, which Dask does not choose by itself.
        "DASK_JOBQUEUE__HTCONDOR__INTERFACE": "lo",
        "MLINFN_HOME": str(settings.home),
        "MLINFN_POOL": settings.pool,
        "MLINFN_TEMPLATES": str(shipped("submit_templates")),
        "MLINFN_USER": user,
        "MLINFN_USER_HOME": str(layout.homes / user),
        "PATH": os.pathsep.join([str(installed.bin), str(installed.sbin), os.environ.get("PATH", os.defpath)]),
    }


def _layout(settings: Settings) -> Layout:
    layout = Layout(settings.pool_folder.absolute())
    if len(os.fsencode(layout.folder)) > LONGEST_FOLDER:
        raise EmbeddedPoolError(
            f"{layout.folder} is longer than {LONGEST_FOLDER} bytes, too long for unix sockets: "
            "set MLINFN_HOME to a shorter folder"
        )
    return layout


def _first_user(layout: Layout) -> str:
    return (layout.etc / "projects.map").read_text().split()[1]


@contextmanager
def _exclusive(layout: Layout) -> Iterator[None]:
    """One `up` or `down` at a time; a second one waits, and then finds what the first did."""
    try:
        layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = layout.lock.open("w")
    except OSError as error:
        raise EmbeddedPoolError(
            f"cannot write {layout.folder}: {error.strerror}; set MLINFN_HOME to a folder of yours"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(layout: Layout, blueprint: Blueprint, installed: Distribution) -> None:
    if blueprint.use_real_devices:
        real = discover(installed.libexec / "condor_gpu_discovery")
        blueprint = replace(blueprint, nodes=with_real_devices(blueprint.nodes, real))
    try:
        for folder in [*layout.folders(), *configuration.folders(layout, blueprint)]:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for node in blueprint.nodes:
            node.write(layout.node_description(node.name))
        for path, text in configuration.files(layout, blueprint, installed, ports.choose(layout.port)).items():
            path.write_text(text)
        layout.leavers.touch()  # what it says stays said: nobody's revoked token is good again after a restart
        images.make_test_image(installed.libexec, layout.test_image)
        secrets.ensure(layout, blueprint, installed)
    except OSError as error:
        raise EmbeddedPoolError(f"cannot write {error.filename or layout.folder}: {error.strerror}") from error


def _start(layout: Layout, installed: Distribution) -> None:
    started = subprocess.run(
        [installed.sbin / "condor_master", "-pidfile", layout.master_pid],
        env=_daemon_environment(layout),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if started.returncode != 0:
        raise EmbeddedPoolError(f"condor_master did not start: {(started.stderr or started.stdout).strip()}")


def _daemon_environment(layout: Layout) -> dict[str, str]:
    """The caller's environment without what it carries of any pool: the daemons take everything from their files."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("_CONDOR_", "CONDOR_"))}
    return kept | {"CONDOR_CONFIG": str(layout.condor_config)}


def _wait_until_ready(layout: Layout, blueprint: Blueprint, settings: Settings) -> None:
    """Until the collector has heard of the negotiator, both access points and every node."""
    wanted = {"Negotiator", *ACCESS_POINTS, *(node.name for node in blueprint.nodes)}
    deadline = time.monotonic() + READY_SECONDS
    while missing := wanted - _advertised(settings):
        if processes.master(layout) is None or time.monotonic() > deadline:
            processes.stop(layout, graceful_seconds=0)
            raise EmbeddedPoolError(f"the pool did not come up ({', '.join(missing)} missing): {_complaint(layout)}")
        time.sleep(POLL_SECONDS)


def _send_jobs_back(settings: Settings, seconds: float) -> None:
    """Let every running job save its state and go back to the queue.

    A schedd that is only told to end leaves its jobs to be reconnected to, which nobody could.
    """
    _administer(settings, "condor_off", "-daemon", "negotiator")
    _administer(settings, "condor_vacate", "-all")
    deadline = time.monotonic() + seconds
    while _running_jobs(settings) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _running_jobs(settings: Settings) -> str:
    """Ids, as the schedds see it: the collector's slots are older."""
    running = ["-all", "-constraint", "JobStatus == 2 || JobStatus == 6", "-af", "ClusterId"]
    return "".join(_administer(settings, "condor_q", "-name", name, *running) for name in ACCESS_POINTS)


def reconfigure(settings: Settings) -> None:
    """Make the pool's master read its files again: it starts what is new in its list and stops what is no longer."""
    _administer(settings, "condor_reconfig", "-daemon", "master")


def _administer(settings: Settings, *command: str) -> str:
    """Output of an administrator's command; a daemon that does not answer is no obstacle to what is done with it."""
    client = os.environ | environment(settings, ADMINISTRATOR)
    return subprocess.run(command, env=client, capture_output=True, text=True, check=False).stdout


def _introduce_roles(settings: Settings) -> None:
    """A schedd takes a superuser whom it never met for an anonymous user, and refuses him others' jobs."""
    sessions = PriorityClass.INTERACTIVE.access_point
    for access_point in ACCESS_POINTS:
        roles = [ADMINISTRATOR, HUB] if access_point == sessions else [ADMINISTRATOR]
        people = [f"{role}@{settings.pool}" for role in roles]
        _administer(settings, "condor_qusers", "-name", access_point, "-add", *people)


def _advertised(settings: Settings) -> set[str]:
    """Daemon types, schedd names and node names that the collector knows; empty while it does not answer."""
    known: set[str] = set()
    for line in _administer(settings, "condor_status", "-any", "-af", "MyType", "Name").splitlines():
        kind, _, name = line.partition(" ")
        known |= {kind, name.split("@")[1] if kind == "Machine" else name.partition("@")[0] + "@"}
    return known


def _complaint(layout: Layout) -> str:
    """The last error that a daemon logged, for a person."""
    for log in sorted(layout.log.glob("*Log*"), key=lambda path: path.stat().st_mtime, reverse=True):
        errors = [line for line in log.read_text(errors="replace").splitlines() if "ERROR" in line]
        if errors:
            return f"{log.name}: {errors[-1]}"
    return f"see {layout.log}"
