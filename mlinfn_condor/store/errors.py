"""What can go wrong between us and PostgreSQL. One line each, as in `mlinfn_condor.errors`."""

from mlinfn_condor.errors import MlinfnError


class StoreError(MlinfnError):
    """PostgreSQL refused what was asked; nothing of it was done."""

    page = "docs/database.md#when-something-is-wrong"


class StoreUnreachable(StoreError):
    """No PostgreSQL answers at this address, or it does not let this user in."""


class MigrationFailed(StoreError):
    """Schema and program do not fit together, or a migration could not be applied; its transaction is undone."""


class DatabaseNewer(MigrationFailed):
    """The database had a migration that this program does not know: a newer one was here."""


class ServerFailed(StoreError):
    """The private PostgreSQL of this user could not be brought up or down."""


class MirrorFailed(StoreError):
    """The mirror could not be set up or taken down; running the command again goes on where it stopped."""
