"""What a site says of its backups: section `[backup]` of a TOML file."""

import re
import stat
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mlinfn_condor.backup.errors import BackupFailed
from mlinfn_condor.settings import Settings
from mlinfn_condor.settings_file import read
from mlinfn_condor.storage.settings import StorageSettings

FILE = "storage.toml"
EXAMPLE = """\
[backup]
repository = "s3:https://s3.example.org/mlinfn-bari"
password_file = "/etc/mlinfn/backup-password"
credentials_file = "/etc/mlinfn/s3-credentials"
"""


class Keep(BaseModel):
    """How many backups stay: the latest `last`, then the last one of each of so many days, weeks, months, years."""

    model_config = ConfigDict(extra="forbid")

    last: int = Field(default=3, ge=1)
    """The latest so many, whatever their age."""
    daily: int = Field(default=7, ge=0)
    """So many days, the last backup of each."""
    weekly: int = Field(default=5, ge=0)
    """So many weeks, the last backup of each."""
    monthly: int = Field(default=12, ge=0)
    """So many months, the last backup of each."""
    yearly: int = Field(default=3, ge=0)
    """So many years, the last backup of each."""

    def words(self) -> list[str]:
        """As options of restic."""
        told = {name: count for name, count in self.model_dump().items() if count}
        return [word for name, count in told.items() for word in (f"--keep-{name}", str(count))]


class CopiesSettings(BaseModel):
    """`[backup.copies]`: where containers beside daemons lay copies of their disks, and which there are."""

    model_config = ConfigDict(extra="forbid")

    folder: Path
    """Which all of them share: below one of `folders`, or nothing of it is kept."""
    names: tuple[str, ...] = Field(min_length=1)
    """Of the disks' pods: each has a folder of its own there."""
    patience_seconds: float = Field(default=900, gt=0)
    """After so long a copy does not come any more: the backup goes on without, and says so."""


class BackupPlan(BaseModel):
    """Where backups go, how often, how long they stay."""

    model_config = ConfigDict(extra="forbid")

    repository: str
    """`s3:https://host/bucket/folder`, or an absolute path of a folder: on another disk than what it keeps."""
    every_hours: float = Field(default=24, gt=0)
    """From one backup to the next: what is written in between is lost with the disk."""
    late_after_hours: float = Field(default=36, gt=0)
    """A last good backup that is older is reported as late."""
    verify_every_days: float = Field(default=7, gt=0)
    """From one verification to the next: a backup that was never read is a hope."""
    verify_share: str = Field(default="5%", pattern=r"^(100|[1-9]?[0-9](\.[0-9]+)?)%$")
    """How much of the stored data each verification reads again; its structure is always read whole."""
    upload_kib_per_s: int | None = Field(default=None, gt=0)
    """Most that it takes of the line; nothing said: what there is."""
    exclude: tuple[str, ...] = (".cache", "__pycache__", ".Trash-*")
    """Names, or patterns of paths, that are in nobody's backup."""
    keep: Keep = Keep()
    copies: CopiesSettings | None = None
    """Disks that the backup cannot reach, and whose copies come when it asks."""
    folders: dict[str, Path] = {}
    """What else belongs to the site's state, by name: spools, configuration. An embedded pool's own are known."""

    @field_validator("repository")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if re.search(r"//[^/]*:[^/]*@", value):
            raise ValueError("keys in the address are seen by everybody: they belong into a file of credentials")
        if not value.startswith(("s3:http://", "s3:https://", "/")):
            raise ValueError("write s3:https://host/bucket, or an absolute path")
        return value

    @field_validator("folders")
    @classmethod
    def _are_absolute(cls, value: dict[str, Path]) -> dict[str, Path]:
        if wrong := [name for name, path in value.items() if not path.is_absolute() or "/" in name]:
            raise ValueError(f"{', '.join(wrong)}: a name without /, and an absolute path")
        return value

    @model_validator(mode="after")
    def _late_is_later(self) -> Self:
        if self.late_after_hours <= self.every_hours:
            raise ValueError(f"late_after_hours {self.late_after_hours} is not above every_hours {self.every_hours}")
        return self


class BackupSettings(BackupPlan):
    """A plan, with the files of its secrets."""

    password_file: Path
    """Holds the password that everything is encrypted with. Without it no backup can be read: keep a copy elsewhere."""
    credentials_file: Path | None = None
    """Keys of the S3 server, in the form of `~/.aws/credentials`."""
    certificate_file: Path | None = None
    """Authority that signed the S3 server's certificate, when the system does not know it."""

    def refuse_open_secrets(self) -> None:
        """Raises BackupFailed: a file of secrets is missing, or others may read it."""
        files = [self.password_file] + ([self.credentials_file] if self.credentials_file else [])
        for file in files:
            try:
                mode = file.stat().st_mode
            except OSError as error:
                raise BackupFailed(
                    f"{file}: {error.strerror}; make it, mode 600, and keep a copy far from this machine"
                ) from error
            if stat.S_IMODE(mode) & 0o077:
                raise BackupFailed(f"{file} can be read by others: chmod 600 {file}")


class SiteStorage(BaseModel):
    """The sections `[storage]` and `[backup]`; a site's file has others beside them."""

    storage: StorageSettings = StorageSettings()
    backup: BackupSettings | None = None


def settings_file(settings: Settings) -> Path:
    """Beside the pools' folders, not in one: a pool that is gone is restored with it."""
    return settings.home / FILE


def of_site(file: Path) -> tuple[StorageSettings, BackupSettings]:
    """Both sections. Raises BadRequest, BackupFailed when there is no section `[backup]`."""
    told = read(file, SiteStorage) if file.exists() else SiteStorage()
    if told.backup is None:
        raise BackupFailed(f"nothing says where backups go: write into {file}\n{EXAMPLE.rstrip()}")
    return told.storage, told.backup
