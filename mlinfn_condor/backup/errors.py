"""What can go wrong with backups. One line each, as in `mlinfn_condor.errors`."""

from mlinfn_condor.errors import MlinfnError


class BackupFailed(MlinfnError):
    """No backup was made, or the repository could not be used; those of before are as they were."""

    page = "docs/operations.md#backups"


class BackupIncomplete(MlinfnError):
    """The backup was made and kept, and lacks files that could not be read."""

    page = "docs/operations.md#backups"


class BackupBusy(MlinfnError):
    """Another run works on the same backups."""

    page = "docs/operations.md#backups"


class VerificationFailed(MlinfnError):
    """What lies in the repository is not what was put there, or cannot be restored."""

    page = "docs/operations.md#backups"


class RestoreRefused(MlinfnError):
    """Something lies where the restored would go, and nobody said that it may be moved aside."""

    page = "docs/storage.md#restore"


class RestoreFailed(MlinfnError):
    """Not everything could be brought back; the same command goes on where it stopped."""

    page = "docs/storage.md#restore"
