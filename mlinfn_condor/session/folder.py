"""The folder through which a session and whoever started it meet: the token goes in, the server's address comes out.

It lies in the user's home, which all nodes share, because a job's ad is no place for a secret: anybody may read it.
"""

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from mlinfn_condor.errors import BadRequest, Timeout
from mlinfn_condor.storage import owned
from mlinfn_condor.storage.room import refuse_full

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LOOK_SECONDS = 0.05
_LAST_BYTES = 4096
ERRORS = "jupyter.err"
"""What submit_templates/session.sub calls the errors of a session's job."""


@dataclass(frozen=True)
class Server:
    """A JupyterLab that answers. Its token is not in here."""

    url: str
    port: int
    pid: int
    node: str
    job: str | None
    devices: list[str]
    started: float
    """Seconds of the epoch."""
    job_start: int | None = None
    """JobCurrentStartDate of the start that it is of: a job that is started anew finds what its last start wrote."""


@dataclass(frozen=True)
class SessionFolder:
    """One session's folder; nobody but its user may look into it."""

    path: Path

    @property
    def token_file(self) -> Path:
        """What the browser must show to the server."""
        return self.path / "token"

    @property
    def environment_file(self) -> Path:
        """Variables of a session that a hub starts, its secrets among them: in the job's ad anybody could read them."""
        return self.path / "env.json"

    @property
    def server_file(self) -> Path:
        """There while the server answers."""
        return self.path / "server.json"

    def token(self) -> str:
        """The token; refused if others could have read it, for it opens a shell as this user."""
        token = _secret(self.token_file).strip()
        if len(token) < 32:
            raise BadRequest(f"{self.token_file}: a token has at least 32 characters")
        return token

    def environment(self) -> dict[str, str]:
        """What the hub gave the session; empty for a session without a hub. Refused like the token."""
        if not self.environment_file.exists():
            return {}
        return {str(name): str(value) for name, value in json.loads(_secret(self.environment_file)).items()}

    def publish(self, server: Server) -> None:
        """Tell that the server answers; readers see all of it or nothing."""
        unfinished = self.server_file.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(server), indent=1) + "\n")
        unfinished.replace(self.server_file)

    def withdraw(self) -> None:
        """Tell that the server answers no more."""
        self.server_file.unlink(missing_ok=True)

    def replace_secret(self, name: str, text: str) -> None:
        """Write a file anew that nobody else may read; readers see the old one or the new one, whole."""
        with owned.opened(self.path) as folder:
            owned.write(folder, name, text)

    def last_words(self) -> str:
        """The last line that its job wrote to its errors; empty where there is none to read. No link is followed."""
        try:
            with owned.opened(self.path) as folder:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                with os.fdopen(os.open(ERRORS, flags, dir_fd=folder), "rb") as file:
                    file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_BYTES))
                    lines = file.read(_LAST_BYTES).decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((" ".join(line.split()) for line in reversed(lines) if line.strip()), "")

    def server(self) -> Server | None:
        """The server, if it has told that it answers; None before and after."""
        try:
            told = json.loads(self.server_file.read_text())
            known = {field.name for field in fields(Server)}
            # What a newer session tells besides is nothing to an older hub.
            return Server(**{name: value for name, value in told.items() if name in known})
        except FileNotFoundError:
            return None
        except (AttributeError, TypeError, ValueError) as error:
            raise BadRequest(f"{self.server_file} was not written by a session: remove it") from error

    def server_or_none(self) -> Server | None:
        """The same for somebody who would not know what to do about a broken file."""
        try:
            return self.server()
        except (BadRequest, OSError):
            return None


def prepare(home: Path, name: str) -> SessionFolder:
    """Make `.mlinfn/sessions/<name>` in the user's home, with a new token; it must not be in use already."""
    if not _NAME.fullmatch(name):
        raise BadRequest(f"session name {name!r}: use up to 32 small letters, digits and hyphens")
    folder = _made(home, name)
    if (server := folder.server()) is not None and answers(server, folder.token()):
        raise BadRequest(f"session {name!r} is running as job {server.job}: choose another name, or end it first")
    folder.withdraw()
    folder.environment_file.unlink(missing_ok=True)
    _write_secret(folder.token_file, secrets.token_urlsafe(32) + "\n")
    return folder


def prepare_for_hub(
    home: Path, name: str, environment: Mapping[str, str], secrets: Mapping[str, str] | None = None
) -> SessionFolder:
    """The same for a session that a hub starts; what an earlier session of this name left there is gone.

    `secrets` are further files, by name. The hub must know that no such session runs: it asks the queue.
    """
    folder = _made(home, name)
    try:
        with owned.opened(folder.path) as directory:
            for left in os.listdir(directory):  # noqa: PTH208 - an open folder
                if left.endswith(".json"):
                    os.unlink(left, dir_fd=directory)
            for secret, content in (secrets or {}).items():
                owned.write(directory, secret, content)
            owned.write(directory, folder.environment_file.name, json.dumps(dict(environment), indent=1) + "\n")
    except OSError as error:
        raise _in_the_way(folder, error) from error
    return folder


def folder_in(home: Path, name: str) -> Path:
    """Where a session's folder lies in its user's home."""
    return home / ".mlinfn" / "sessions" / name


def _made(home: Path, name: str) -> SessionFolder:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"session name {name!r}: use up to 32 small letters, digits and hyphens")
    refuse_full(home)
    folder = SessionFolder(folder_in(home, name))
    try:
        if os.geteuid() != 0:  # Root's would be nobody's home: whoever is root makes it before, and gives it away.
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not home.exists():
            raise BadRequest(f"the home {home} is not there: who runs this site has to make it")
        with owned.opened(home, *folder.path.relative_to(home).parts):
            pass
    except OSError as error:
        raise _in_the_way(folder, error) from error
    return folder


def _in_the_way(folder: SessionFolder, error: OSError) -> BadRequest:
    what = error.strerror or str(error)
    return BadRequest(f"{folder.path}: {what}; it must be a plain folder of its home's user: move away what is there")


def _secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror}; `mlinfn submit session` makes one") from error
    if mode & 0o077:
        raise BadRequest(f"{path} can be read by others: remove the folder and start a new session")
    return text


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def answers(server: Server, token: str) -> bool:
    """Whether the server answers HTTP 200 to somebody who has the token."""
    address = urlsplit(server.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=5)
    try:
        connection.request("GET", f"{address.path}api/status", headers={"Authorization": f"token {token}"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def wait_until_answering(
    folder: SessionFolder, seconds: float, still_coming: Callable[[], object] = lambda: None
) -> Server:
    """Block until the session's JupyterLab answers HTTP 200, `Timeout` after so many seconds.

    `still_coming` is asked once a second and raises if there is nothing left to wait for (JobHeld, say).
    """
    token, deadline, next_question = folder.token(), time.monotonic() + seconds, time.monotonic() + 1
    while time.monotonic() < deadline:
        if (server := folder.server()) is not None and answers(server, token):
            return server
        if time.monotonic() >= next_question:
            still_coming()
            next_question = time.monotonic() + 1
        time.sleep(_LOOK_SECONDS)
    raise Timeout(f"the session in {folder.path} did not answer within {seconds:g} s; its log lies in that folder")
