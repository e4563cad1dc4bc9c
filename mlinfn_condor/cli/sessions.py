"""Starting a session and waiting for it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.cli.connection import Connection
from mlinfn_condor.errors import JobEnded, JobHeld
from mlinfn_condor.pool import JobId, JobState, Pool, ads, find_job
from mlinfn_condor.session.folder import SessionFolder, prepare, wait_until_answering
from mlinfn_condor.submission.requests import SessionRequest
from mlinfn_condor.submission.submit import submit


@dataclass(frozen=True)
class StartedSession:
    """A session that is on its way."""

    pool: Pool
    request: SessionRequest
    job: JobId
    folder: SessionFolder

    def wait(self, seconds: float) -> str:
        """Its address, token included, once JupyterLab answers. Raises JobHeld, JobEnded, Timeout."""
        server = wait_until_answering(self.folder, seconds, self._still_coming)
        return f"{server.url}lab?token={self.folder.token()}"

    def _still_coming(self) -> None:
        job = find_job(self.pool, self.job)
        if job.state is JobState.HELD:
            raise JobHeld(f"{self.job} is on hold: {ads.text(job.ad, 'HoldReason')}")
        if job.state.final:
            raise JobEnded(f"{self.job} is {job.state.value} and never answered; its log is in {self.folder.path}")


def start(connection: Connection, name: str, request: Callable[[Path], SessionRequest]) -> StartedSession:
    """Prepare the session's folder and submit its job."""
    folder = prepare(connection.home, name)
    asked = request(folder.path)
    return StartedSession(connection.pool, asked, submit(asked, connection.pool), folder)
