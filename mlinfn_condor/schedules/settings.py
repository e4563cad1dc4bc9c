"""What a site may choose about schedules: environment variables `MLINFN_SCHEDULES_…`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SchedulesSettings(BaseSettings):
    """Of all schedules of a site."""

    model_config = SettingsConfigDict(env_prefix="MLINFN_SCHEDULES_")

    per_user: int = Field(default=20, ge=1)
    """Schedules of one user at once."""
    least_seconds: int = Field(default=60, ge=1)
    """Shortest time between two due times of a schedule: below, submitting costs more than the job."""
    look_seconds: float = Field(default=5, gt=0)
    """Between two looks at jobs that run, and at repositories and tables: what a notification did not tell."""
    poll_seconds: float = Field(default=60, gt=0)
    """Between two looks at a repository that somebody else runs."""
    submit_seconds: float = Field(default=60, gt=0)
    """What one submit may take until the process that does it is ended; the next one looks whether it was taken."""
    settle_seconds: float = Field(default=3, ge=0)
    """Age of an interrupted submit from which an access point that does not know it never will."""
    keep_days: int = Field(default=90, ge=1)
    """How long the history tells of runs that ended."""
