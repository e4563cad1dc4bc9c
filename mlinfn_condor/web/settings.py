"""What a site may choose about its window: environment variables `MLINFN_WEB_…`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WebSettings(BaseSettings):
    """Intervals in seconds."""

    model_config = SettingsConfigDict(env_prefix="MLINFN_WEB_")

    port: int = Field(default=9820, ge=0, le=65535)
    """Where `mlinfn web serve` listens on loopback; 0: any free one."""
    look_seconds: float = Field(default=2, gt=0)
    """Between two looks at slots and devices, at the collector alone. More often nobody sees."""
    queue_seconds: float = Field(default=10, gt=0)
    """Between two looks at the queues, the only question to a schedd, whatever the number of viewers."""
    database_seconds: float = Field(default=60, gt=0)
    """Between two readings of what only changes slowly: schedules, past runs, reports."""
    look_percent: float = Field(default=3, gt=0, le=50)
    """How much of a core the looks at one source may take: dear ones come less often, and the page tells their age.
    Those who are asked rest nine times as long as they take to answer, whatever this says."""
    patience_seconds: float = Field(default=15, gt=0)
    """After so long without an answer a source is away."""
    linger_seconds: float = Field(default=30, ge=0)
    """How long the pool is looked at after the last viewer left: whoever reloads finds what is there."""

    @property
    def rest(self) -> float:
        """Seconds of rest for a second of looking."""
        return 100 / self.look_percent - 1
