"""Bringing a private PostgreSQL up and down. Each step can be killed and run again."""

import fcntl
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import psycopg

from mlinfn_condor.store.connection import connect, in_database
from mlinfn_condor.store.errors import ServerFailed, StoreUnreachable
from mlinfn_condor.store.local import configuration, processes, programs
from mlinfn_condor.store.local.layout import DATABASE, OWNER, PORT, Layout, make_private
from mlinfn_condor.store.local.programs import Programs
from mlinfn_condor.store.statements import Statements

START_SECONDS = 120
"""A server is up within 1 s; recovery after a kill reads at most max_wal_size again."""
STOP_SECONDS = 60
ORPHAN_SECONDS = 20
DYING_SECONDS = 2
"""A killed server is seen for some milliseconds more."""
POLL_SECONDS = 0.1
_SQL = Statements("mlinfn_condor.store")


class Progress(Protocol):
    """Somebody who is told about steps: `embedded.report.Report` is one."""

    def step(self, name: str) -> AbstractContextManager[object]:
        """A step that ends with the block."""


@dataclass(frozen=True)
class LocalStatus:
    """A private server that runs."""

    dsn: str
    pid: int
    programs: Programs
    folder: Path
    free_bytes: int
    """Of the disk that the data lies on."""


class LocalServer:
    """The private server in one folder. All acts raise ServerFailed."""

    def __init__(self, folder: Path, prefer: str | None = None) -> None:
        """`prefer`: see `programs.PREFERENCE`."""
        self.layout = Layout(folder.absolute())
        self._prefer = prefer

    @property
    def dsn(self) -> str:
        """How its owner enters it, whether it runs or not."""
        return self.dsn_as(OWNER)

    def dsn_as(self, role: str) -> str:
        """How one of `ROLES` enters it."""
        return f"postgresql://{role}@/{DATABASE}?host={quote(str(self.layout.sockets), safe='')}&port={PORT}"

    def up(self, progress: Progress) -> str:
        """Bring it up, or find it; the owner's DSN. It goes on running when the caller ends."""
        self._refuse_root()
        with self._exclusively() as lock:
            chosen = programs.find(self._made_by(), self._prefer)
            if not self._is_usable():
                self._clear_up_after_a_kill()
                if not self.layout.data.exists():
                    with progress.step(f"make a database with {chosen}"):
                        self._initialise(chosen, lock)
                with progress.step(f"bring the database up, {chosen}"):
                    self._start(chosen)
                    self._create_database()
        return self.dsn

    def down(self) -> bool:
        """Take it down: clients are sent away, everything is written. False if it did not run."""
        if not self.layout.folder.exists():
            return False
        self._refuse_root()
        with self._exclusively():
            if processes.postmaster(self.layout) is None:
                return False
            chosen = self._programs()
            try:
                self._run(chosen, "pg_ctl", "stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS))
            except ServerFailed:
                # A mirror that hangs is waited for. Everything committed is on disk: the next start reads it again.
                self._run(chosen, "pg_ctl", "stop", "-m", "immediate", "-w", "-t", str(STOP_SECONDS))
            return True

    def running(self) -> int | None:
        """Process id of the server, None when it does not run."""
        return processes.postmaster(self.layout)

    def status(self) -> LocalStatus:
        """What runs. Raises ServerFailed when it is not up."""
        pid = self.running()
        if pid is None:
            raise ServerFailed(f"no database is up in {self.layout.folder}: `mlinfn db up` starts it")
        free = os.statvfs(self.layout.data)
        return LocalStatus(self.dsn, pid, self._programs(), self.layout.folder, free.f_bavail * free.f_frsize)

    def _programs(self) -> Programs:
        return programs.find(self._made_by(), self._prefer)

    def _made_by(self) -> int | None:
        """Major version that the data folder was made by; None when there is none yet."""
        try:
            return int((self.layout.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            if self.layout.data.exists():
                raise ServerFailed(f"{self.layout.data} holds no PostgreSQL data: move it away") from None
            return None
        except (OSError, ValueError) as error:
            raise ServerFailed(f"{self.layout.data}/PG_VERSION cannot be read: {error}") from error

    @contextmanager
    def _exclusively(self) -> Iterator[int]:
        """One `up` or `down` at a time; a second one waits, then finds what the first did. The lock's descriptor."""
        for folder in (self.layout.folder, self.layout.log, self.layout.sockets):
            make_private(folder)
        with self.layout.lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock.fileno()

    def _is_usable(self) -> bool:
        """Whether a server runs and takes connections; one that an `up` started which was killed may still recover."""
        pid = processes.postmaster(self.layout)
        if pid is None:
            return False
        try:
            self._wait_until_ready()
            self._create_database()
        except ServerFailed:
            if processes.ends(pid, DYING_SECONDS):
                return False
            raise
        return True

    def _clear_up_after_a_kill(self) -> None:
        left = processes.end_orphans(self.layout, ORPHAN_SECONDS)
        if left:
            raise ServerFailed(f"processes {left} of a killed server still work on {self.layout.data} and do not end")
        # Nobody of the server is left. Its id may be another process's by now, or still that of a corpse nobody has
        # fetched: PostgreSQL would take either for the server.
        self.layout.socket_lock.unlink(missing_ok=True)
        if processes.claimed_by_another(self.layout):
            self.layout.postmaster_pid.unlink()
        if self.layout.unfinished_data.exists():
            shutil.rmtree(self.layout.unfinished_data)

    def _initialise(self, chosen: Programs, lock: int) -> None:
        self._run(
            chosen,
            "initdb",
            f"--username={OWNER}",
            "--auth=peer",
            "--encoding=UTF8",
            "--locale=C",  # The same order on every machine, and no index that a new libc invalidates.
            "--data-checksums",
            "--no-instructions",
            data=self.layout.unfinished_data,
            keeps=(lock,),
        )
        self.layout.unfinished_data.rename(self.layout.data)
        _sync(self.layout.folder)

    def _start(self, chosen: Programs) -> None:
        texts = configuration.written(
            self.layout, _user(), configuration.machine_memory_mb(), configuration.shared_memory_mb()
        )
        for name, text in texts.items():
            (self.layout.data / name).write_text(text)
        log = self.layout.log / "start.log"
        log.unlink(missing_ok=True)
        try:
            self._run(chosen, "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-l", str(log))
        except ServerFailed as error:
            # A killed `up` may have left a pg_ctl behind whose server came first: it is as good.
            if processes.postmaster(self.layout) is None:
                raise ServerFailed(f"the database did not come up: {self._complaint() or error}") from error
            self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not processes.is_ready(self.layout):
            if processes.postmaster(self.layout) is None or time.monotonic() > deadline:
                raise ServerFailed(f"the database did not come up: {self._complaint() or f'see {self.layout.log}'}")
            time.sleep(POLL_SECONDS)

    def _create_database(self) -> None:
        try:
            with connect(in_database(self.dsn, "postgres"), autocommit=True) as connection:
                if connection.execute(_SQL.text("find_database"), (DATABASE,)).fetchone() is None:
                    connection.execute(_SQL.text("create_database"))
        except (psycopg.Error, StoreUnreachable) as error:
            raise ServerFailed(f"the database runs and cannot be used: {error}") from error

    def _run(
        self, chosen: Programs, program: str, *arguments: str, data: Path | None = None, keeps: tuple[int, ...] = ()
    ) -> None:
        """Run one of PostgreSQL's programs on the data folder, free of what the caller's environment says of others.

        `keeps`: descriptors that it holds too. An initdb that outlives a killed `up` keeps the next one waiting.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        done = subprocess.run(
            [chosen.bin / program, "-D", data or self.layout.data, *arguments],
            env=kept | {"LC_ALL": "C"},
            cwd=self.layout.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            pass_fds=keeps,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
            raise ServerFailed(f"{program}: {next((line for line in said if 'rror' in line), said[0])}")

    def _complaint(self) -> str | None:
        """The last thing that the server called fatal, for a person."""
        logs = sorted(self.layout.log.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
        for log in logs:
            lines = [line for line in log.read_text(errors="replace").splitlines() if "FATAL" in line]
            if lines:
                return f"{log}: {lines[-1][lines[-1].index('FATAL') :]}"
        return None

    def _refuse_root(self) -> None:
        if os.geteuid() == 0:
            raise ServerFailed("PostgreSQL refuses root: be an ordinary user, or use ./mlinfn of a checkout")


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise ServerFailed(f"user {os.geteuid()} has no name on this machine, and PostgreSQL needs one") from error


def _sync(folder: Path) -> None:
    """Make a rename outlive the machine's power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
