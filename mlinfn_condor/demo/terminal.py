"""A user's terminal at the pool: the commands that a person would type, with that person's identity."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import JobId
from mlinfn_condor.shipped import shipped

BATCH_NAME = "mlinfn-demo"
"""JobBatchName of all jobs of the story, by which the next one finds what an interrupted one left."""

COMMAND_SECONDS = 60


class CommandFailed(MlinfnError):
    """A command of the story failed; the message is the last line that it printed."""


@dataclass(frozen=True)
class Terminal:
    """One user's."""

    pool: RunningPool
    user: str

    @property
    def home(self) -> Path:
        """The home that the user's jobs see on every node."""
        return self.pool.layout.homes / self.user

    @property
    def folder(self) -> Path:
        """Where the story keeps this user's files."""
        return self.home / BATCH_NAME

    @property
    def environment(self) -> Mapping[str, str]:
        """As after `eval "$(mlinfn pool env --user …)"`, in that user's home."""
        return os.environ | self.pool.environment(self.user) | {"HOME": str(self.home)}

    def run(self, *command: str) -> str:
        """What the command prints. Raises CommandFailed."""
        try:
            done = subprocess.run(
                command,
                env=self.environment,
                cwd=self.home,
                capture_output=True,
                text=True,
                check=False,
                timeout=COMMAND_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"{self.user}: {command[0]} did not end within {COMMAND_SECONDS} s") from error
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
            raise CommandFailed(f"{self.user}: {command[0]}: {said[-1]}")
        return done.stdout

    def submit(self, template: str, priority_class: PriorityClass, **parameters: object) -> JobId:
        """`condor_submit TEMPLATE name=value …`, as the head of each template tells."""
        access_point = priority_class.access_point
        path = shipped("submit_templates") / f"{template}.sub"
        values = [f"{name}={value}" for name, value in parameters.items()]
        said = self.run("condor_submit", "-terse", "-name", access_point, "-batch-name", BATCH_NAME, str(path), *values)
        return JobId.parse(access_point + said.split()[0])
