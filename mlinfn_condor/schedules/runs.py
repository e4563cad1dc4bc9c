"""Schedules and runs as the database has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlinfn_condor.schedules.planning import Lateness, Misfire
from mlinfn_condor.schedules.rules import Cron, Every, Rule


@dataclass(frozen=True)
class Schedule:
    """What runs again and again."""

    number: int
    owner: str
    name: str
    kind: str
    spec: str
    zone: str
    misfire: str
    grace_s: int
    catch_up: int
    jitter_s: int
    overlap: bool
    retries: int
    retry_s: int
    least: int
    at_latest_s: int | None
    job: Mapping[str, str]
    added_at: datetime
    planned_until: datetime
    mark: str
    declared_in: str
    """The site whose file declares it; empty: added by hand."""

    @property
    def rule(self) -> Rule | None:
        """When it is due; None for one that data starts."""
        if self.kind == "cron":
            return Cron(self.spec, self.zone)
        return Every(int(self.spec), self.added_at) if self.kind == "every" else None

    @property
    def lateness(self) -> Lateness:
        """What is late, and what that means."""
        return Lateness(Misfire(self.misfire), timedelta(seconds=self.grace_s), self.catch_up)


@dataclass(frozen=True)
class Key:
    """Which run: unique for ever, for a schedule's number never comes again."""

    schedule: int
    due_at: datetime
    attempt: int = 0

    @property
    def mark(self) -> str:
        """What its job carries as MlinfnRun, and its program as MLINFN_RUN."""
        return f"{self.schedule}/{self.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}/{self.attempt}"


@dataclass(frozen=True)
class Run:
    """One run that has not ended."""

    key: Key
    start_at: datetime
    state: str
    changed_at: datetime
    cluster: int | None
    since: str
    until: str


@dataclass(frozen=True)
class LastRun:
    """What the next run that data starts has to know of the one before."""

    due_at: datetime
    until: str
    done: bool
