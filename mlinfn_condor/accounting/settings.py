"""What a site may choose about its accounting: environment variables `MLINFN_ACCOUNTING_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AccountingSettings(BaseSettings):
    """Intervals in seconds."""

    model_config = SettingsConfigDict(env_prefix="MLINFN_ACCOUNTING_")

    spools: dict[str, Path] = Field(default_factory=dict)
    """Access point → folder with its `history` and `epoch_history`, as JSON; default: those of the embedded pool."""
    starts: Path | None = None
    """The hub's journal, `starts.jsonl` in its folder; default: that of the embedded pool's hub."""
    events: Path | None = None
    """The provisioner's journal, `glideins.jsonl`; default: that of the embedded pool."""
    history_seconds: float = Field(default=5, gt=0)
    """Between two looks whether a history grew."""
    look_seconds: float = Field(default=30, ge=5)
    """Between two looks at slots, devices and priorities; nodes report every 30 s."""
    roll_up_seconds: float = Field(default=300, gt=0)
    """Between two sums of the days that changed. Reports add up such a day themselves."""
    keep_months: int = Field(default=0, ge=0)
    """Attempts, jobs and samples older than so many months are dropped, their daily sums stay; 0 keeps all."""
    metrics_port: int = Field(default=9819, ge=0, le=65535)
    """Where `mlinfn accounting metrics` listens."""
    metrics_keep_seconds: float = Field(default=5, ge=0)
    """All scrapes within so long are told the same. Slow looks are kept longer (metrics/snapshot.py)."""
    metrics_patience_seconds: float = Field(default=4, gt=0)
    """A scrape waits so long for database and pool, and then is told what there is; Prometheus gives up after 10 s."""
    metrics_fresh_seconds: float = Field(default=300, gt=0)
    """What the recorder saw longer ago is not how the pool looks now; ten of its looks."""
    openstack_map: Path | None = None
    """What names of OpenStack's devices and projects mean at this site, a TOML file: see docs/accounting.md."""
