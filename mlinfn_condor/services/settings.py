"""What a site may choose about its services: environment variables `MLINFN_SERVICES_…`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from mlinfn_condor.settings import Settings


def _folder() -> Path:
    settings = Settings()
    return settings.home / "services" / settings.pool


class ServicesSettings(BaseSettings):
    """Of one runner on one machine."""

    model_config = SettingsConfigDict(env_prefix="MLINFN_SERVICES_")

    folder: Path = Field(default_factory=_folder)
    """Where the runner keeps its state and its lock."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Where the runner tells Prometheus of its services, on loopback; not at all when not given."""

    @property
    def state(self) -> Path:
        """How the services do."""
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the runner that runs them."""
        return self.folder / "runner.lock"
