"""Where this machine keeps its pools, and what the environment may override."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _data_home() -> Path:
    return Path("~/.local/share/mlinfn").expanduser()


class Settings(BaseSettings):
    """Settings of one user on one machine; each can be set as an environment variable `MLINFN_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="MLINFN_")

    home: Path = Field(default_factory=_data_home)
    """Folder of everything this user's pools need: HTCondor itself (about 250 MB) and one folder per pool."""
    pool: str = Field(default="demo", pattern=r"^[a-z][a-z0-9-]{0,15}$")
    """Name of the embedded pool that commands speak to. Short: it is part of socket paths, which end at 108 bytes."""
    user: str | None = None
    """Identity to speak with in the embedded pool; the pool's first user when unset."""

    @property
    def distributions(self) -> Path:
        """Folder that holds privately installed HTCondor versions."""
        return self.home / "htcondor"

    @property
    def pool_folder(self) -> Path:
        """Folder of the pool that commands speak to."""
        return self.home / "pools" / self.pool
