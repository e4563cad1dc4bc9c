"""Sign-in with a password of the hub's own: the embedded default, and accounts for a hackathon."""

import asyncio
from typing import Any

from tornado.web import HTTPError
from traitlets import Integer

from mlinfn_condor.embedded.blueprint import ADMINISTRATOR
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts import passwords
from mlinfn_condor.hub.accounts.account import now
from mlinfn_condor.hub.accounts.accounted import AccountedAuthenticator
from mlinfn_condor.hub.accounts.throttle import WINDOW_SECONDS, Throttle
from mlinfn_condor.identity.names import ROLES, identity, shown

REFUSED = "No sign-in: the name or the password is wrong, or the account has ended."
SLOWED = f"No sign-in: too many failed attempts under this name. Try again in {WINDOW_SECONDS} seconds."


class LocalAuthenticator(AccountedAuthenticator):
    """Lets in whoever has an account with a password that has not ended; one answer to everybody else."""

    failures_per_minute = Integer(5, help="Failed sign-ins for one name in a minute before it is slowed down.").tag(
        config=True
    )

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._throttle = Throttle(self.failures_per_minute)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any]:
        """See Authenticator. Refusals are sentences on the sign-in page."""
        name, password = data.get("username", ""), data.get("password", "")
        try:
            identity(name, ROLES - {ADMINISTRATOR})
        except BadRequest as refusal:
            raise HTTPError(403, REFUSED) from refusal
        if not self._throttle.begin(name):
            self.log.warning("sign-in of %s slowed down", shown(name))
            raise HTTPError(429, SLOWED)
        account = self.accounts().get(name)
        stored = account.password if account else None
        fits = await asyncio.to_thread(passwords.fits, password, stored)
        if account is None or not fits or not account.admits(now()):
            self.log.warning("sign-in of %s refused", shown(name))
            raise HTTPError(403, REFUSED)
        self._throttle.succeeded(name)
        return {"name": name, "admin": account.is_admin}
