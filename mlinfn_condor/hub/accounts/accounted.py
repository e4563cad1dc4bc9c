"""What every sign-in has in common: an account that is looked at again and again, and ends when it ends."""

from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from tornado.web import HTTPError
from traitlets import Unicode, default

from mlinfn_condor.errors import UserError
from mlinfn_condor.hub.accounts.account import Accounts, now
from mlinfn_condor.hub.accounts.store import Store

RECHECK_SECONDS = 10
"""How long a browser that is signed in may go on after its account has ended."""


class AccountedAuthenticator(Authenticator):  # type: ignore[misc] # JupyterHub has no types
    """An authenticator over a Store: who is signed in stays so only while his account lasts."""

    folder = Unicode(help="Folder of the hub's accounts (Store).").tag(config=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        # Who may sign in is decided in `authenticate`. A browser or a token that was let in is looked at again, also
        # where nobody can be sent to the sign-in page: without strictness an ended account's token would go on.
        self.allow_all = True
        self.auth_refresh_strict = self.refresh_pre_spawn = True
        self.enable_auth_state = False

    @default("auth_refresh_age")
    def _recheck(self) -> int:
        return RECHECK_SECONDS

    @property
    def store(self) -> Store:
        """The accounts."""
        return Store(Path(self.folder))

    def accounts(self) -> Accounts:
        """Every account; a damaged file lets nobody in, and says so in the hub's log."""
        try:
            return self.store.read()
        except UserError as error:
            self.log.error("%s", error)
            raise HTTPError(503, "No sign-in at the moment: the hub cannot read its accounts.") from error

    async def refresh_user(self, user: Any, handler: Any = None, **_: Any) -> bool | dict[str, Any]:
        """See Authenticator: False when the account is gone or admits him no more; then he has to sign in again."""
        account = self.accounts().get(user.name)
        if account is None or not account.admits(now()):
            return False
        if bool(user.admin) != account.is_admin:
            return {"name": user.name, "admin": account.is_admin}
        return True
