"""The only place that runs restic. Secrets reach it as names of files, never as arguments or variables."""

import json
import os
import platform
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

from mlinfn_condor.backup.errors import BackupFailed
from mlinfn_condor.backup.settings import BackupSettings

TAG = "mlinfn"
SOME_UNREAD, NO_REPOSITORY, LOCKED, WRONG_PASSWORD = 3, 10, 11, 12
"""Exit codes of restic."""
END_SECONDS = 20
"""restic removes its locks when it is interrupted."""
_FUTILE = re.compile(
    r"signature|AccessKeyId|access key|[Aa]ccess.?[Dd]enied|[Ff]orbidden|no such host|certificate|connection refused"
)
_NO_BUCKET = re.compile(r"bucket does not exist|NoSuchBucket")
_RETRIES = 3
"""It tries for a quarter of an hour, also what cannot get better: a wrong key, a name that does not exist."""


class Snapshot(BaseModel):
    """One backup in the repository."""

    model_config = ConfigDict(extra="ignore")

    id: str
    short_id: str
    time: str
    hostname: str
    paths: tuple[str, ...]
    tags: tuple[str, ...] = ()
    summary: dict[str, Any] = {}

    def path_named(self, name: str) -> str | None:
        """The path in it that ends with this name."""
        return next((path for path in self.paths if Path(path).name == name), None)


@dataclass(frozen=True)
class Made:
    """What a backup was."""

    snapshot: str
    files: int
    bytes: int
    read: int
    """Files whose content was read: the new ones, and those that changed since the backup before."""
    added_bytes: int
    """New in the repository, as stored."""
    unread: tuple[str, ...]
    """Files that are there and could not be read; those that vanished meanwhile are not among them."""


class Restic:
    """One repository. All acts raise BackupFailed."""

    def __init__(self, program: Path, settings: BackupSettings, cache: Path) -> None:
        self._program, self._settings, self._cache = program, settings, cache

    def open(self, site: str) -> list[Snapshot]:
        """Have a repository, the one that is there or a new one; the site's backups in it, the oldest first."""
        code, said = self._try_past_the_dead(*_listing(site))
        if code == NO_REPOSITORY or (code != 0 and _NO_BUCKET.search(said)):
            self._ask("init")
            return []
        if code == WRONG_PASSWORD:
            password = self._settings.password_file
            raise BackupFailed(f"{password} holds another password than {self._place} was made with")
        if code == LOCKED:
            raise self._in_use(said)
        if code != 0:
            raise BackupFailed(f"{self._place}: {_reason(said)}")
        return _snapshots(said)

    def back_up(self, paths: Sequence[str], site: str, exclude: Iterable[str], advance: Callable[[int], None]) -> Made:
        """Keep these paths as one snapshot. `advance` hears how many more bytes were looked at."""
        # Compared is with the site's last backup, whatever its paths were: by default it would have to be of the same
        # paths, and a tree more or less would make restic read every file again.
        words = ["backup", "--json", "--no-scan", "--host", site, "--tag", TAG, "--group-by", "host,tags"]
        words += [word for pattern in exclude for word in ("--exclude", pattern)]
        if self._settings.upload_kib_per_s:
            words += ["--limit-upload", str(self._settings.upload_kib_per_s)]
        seen, summary, unread, gone = 0, None, [], 0
        with self._started(*words, "--", *paths) as (process, said):
            for line in process.stdout or ():
                message = _parsed(line)
                if message.get("message_type") == "status":
                    now = int(message.get("bytes_done", 0))
                    advance(max(0, now - seen))
                    seen = max(now, seen)
                elif message.get("message_type") == "summary":
                    summary = message
            code = process.wait()
            for complaint in said():
                message = _parsed(complaint)
                if message.get("message_type") == "error":
                    text = str(message.get("error", {}).get("message", ""))
                    item = str(message.get("item", ""))
                    gone += (vanished := "no such file" in text)
                    unread += [] if vanished else [f"{item}: {text}"]
            if summary is None or code not in (0, SOME_UNREAD):
                raise BackupFailed(f"{self._place}: {_reason(''.join(said()))}")
        if code == SOME_UNREAD and not unread and not gone:
            unread = [_reason("".join(said()))]
        return Made(
            summary["snapshot_id"], summary["total_files_processed"], summary["total_bytes_processed"],
            summary["files_new"] + summary["files_changed"],
            summary.get("data_added_packed", summary["data_added"]), tuple(unread),
        )  # fmt: skip

    def snapshots(self, site: str) -> list[Snapshot]:
        """The site's, the oldest first."""
        return _snapshots(self._ask(*_listing(site)))

    def forget(self, site: str) -> None:
        """Let go of backups that are past their time; what only they needed stays until `prune`."""
        # Grouped by site alone: a home that moved to another path does not make two histories.
        words = ["forget", "--tag", TAG, "--host", site, "--group-by", "host", *self._settings.keep.words()]
        self._ask(*words)

    def prune(self) -> None:
        """Free what no backup needs any more."""
        self._ask("prune")

    def check(self, share: str) -> None:
        """Read the repository's structure and a share of its data. Raises BackupFailed with what is wrong."""
        self._ask("check", f"--read-data-subset={share}")

    def nodes(self, snapshot: str, path: str) -> list[dict[str, Any]]:
        """What lies at this path of a snapshot, itself first, its entries after it; empty: nothing."""
        nodes = [_parsed(line) for line in self._ask("ls", "--json", snapshot, path).splitlines()]
        return [node for node in nodes if node.get("message_type") == "node" and str(node["path"]).startswith(path)]

    def restore(self, snapshot: str, path: str, target: Path) -> None:
        """The folder at this path of a snapshot into an empty one."""
        self._ask("restore", f"{snapshot}:{path}", "--target", str(target))

    def read(self, snapshot: str, path: str, into: IO[bytes]) -> None:
        """One file's content."""
        with self._started("dump", snapshot, path, stdout=into) as (process, said):
            if process.wait() != 0:
                raise BackupFailed(f"{self._place}: {_reason(''.join(said()))}")

    def locks(self) -> list[dict[str, Any]]:
        """Who works on the repository, or worked on it and was killed."""
        ids = self._try("list", "locks", "--no-lock")[1].split()
        texts = [self._try("cat", "lock", each, "--no-lock") for each in ids]
        return [json.loads(said[said.index("{") :]) for code, said in texts if code == 0]

    def remove_dead_locks(self) -> bool:
        """Remove what a run of ours left that was killed, unless others are at work, or seem to be; whether it did.

        restic itself would also take away what another machine left half an hour ago.
        """
        locks = self.locks()
        if not locks or not all(_is_ours_and_dead(each) for each in locks):
            return False
        return self._try("unlock")[0] == 0

    @property
    def _place(self) -> str:
        return f"backup repository {self._settings.repository}"

    def _ask(self, *words: str) -> str:
        code, said = self._try_past_the_dead(*words)
        if code == LOCKED:
            raise self._in_use(said)
        if code != 0:
            raise BackupFailed(f"{self._place}: {_reason(said)}")
        return said

    def _in_use(self, said: str) -> BackupFailed:
        return BackupFailed(f"{self._place} is in use: {_reason(said)}; try again when the other has ended")

    def _try_past_the_dead(self, *words: str) -> tuple[int, str]:
        """As `_try`; a lock of ours that was killed hinders nothing."""
        code, said = self._try(*words)
        if code == LOCKED and self.remove_dead_locks():
            return self._try(*words)
        return code, said

    def _try(self, *words: str) -> tuple[int, str]:
        """Exit code, and what was said: its output when it went well, else its complaint."""
        with self._started(*words) as (process, said):
            output = (process.stdout.read() if process.stdout else b"").decode(errors="replace")
            code = process.wait()
            return code, output if code == 0 else "".join(said()) or output

    @contextmanager
    def _started(
        self, *words: str, stdout: int | IO[bytes] = subprocess.PIPE
    ) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], list[str]]]]:
        """restic at work, ended with the block: interrupted, so that it removes its locks. What it said comes along."""
        command = [str(self._program), "--repo", self._settings.repository]
        command += ["--password-file", str(self._settings.password_file)]
        if self._settings.certificate_file:
            command += ["--cacert", str(self._settings.certificate_file)]
        with TemporaryFile() as complaints:
            # A group of its own: Ctrl-C reaches us, and we end it once.
            process = subprocess.Popen(
                [*command, *words], env=self._environment, stdin=subprocess.DEVNULL, stdout=stdout,
                stderr=complaints, process_group=0,
            )  # fmt: skip

            def said() -> list[str]:
                complaints.seek(0)
                return complaints.read().decode(errors="replace").splitlines(keepends=True)

            watch = _GivesUp(process, complaints.fileno())
            try:
                with watch:
                    yield process, said
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    try:
                        process.wait(END_SECONDS)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
                if process.stdout:
                    process.stdout.close()

    @property
    def _environment(self) -> Mapping[str, str]:
        """Nothing that the caller's environment says of another repository or of other keys."""
        kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR", "TZ") if name in os.environ}
        proxies = {name: value for name, value in os.environ.items() if name.upper().endswith("_PROXY")}
        own = {"RESTIC_CACHE_DIR": str(self._cache), "RESTIC_PROGRESS_FPS": "1", "LC_ALL": "C"}
        # Without keys it must not find those of the user's own ~/.aws, nor ask a cloud for some.
        own["AWS_SHARED_CREDENTIALS_FILE"] = str(self._settings.credentials_file or os.devnull)
        return kept | proxies | own


def _listing(site: str) -> list[str]:
    return ["snapshots", "--json", "--tag", TAG, "--host", site]


def _snapshots(said: str) -> list[Snapshot]:
    return [Snapshot.model_validate(each) for each in json.loads(said)]


def _is_ours_and_dead(lock: dict[str, Any]) -> bool:
    return lock.get("hostname") == platform.node() and not Path(f"/proc/{lock.get('pid')}").exists()


def _parsed(line: bytes | str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _reason(said: str) -> str:
    """restic's complaint on one line."""
    lines = deque((line.strip() for line in said.splitlines() if line.strip()), maxlen=50)
    messages = [_sentence(line) for line in lines]
    futile = [line for line in messages if _FUTILE.search(line)]
    fatal = [line for line in messages if "Fatal" in line or "rror" in line]
    return (futile or fatal or messages or ["it gave no reason"])[-1].removeprefix("Fatal: ")


def _sentence(line: str) -> str:
    message = _parsed(line)
    error = message.get("error")
    return str(message.get("message") or (error.get("message") if isinstance(error, dict) else error) or line)


class _GivesUp:
    """Ends restic when it only repeats what cannot get better."""

    def __init__(self, process: subprocess.Popen[bytes], complaints: int) -> None:
        self._process, self._complaints = process, complaints
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            size = os.fstat(self._complaints).st_size
            said = os.pread(self._complaints, 65536, max(0, size - 65536)).decode(errors="replace")
            futile = [line for line in said.splitlines() if "retrying after" in line and _FUTILE.search(line)]
            if len(futile) >= _RETRIES or _NO_BUCKET.search(said):
                self._process.send_signal(signal.SIGINT)
                return
