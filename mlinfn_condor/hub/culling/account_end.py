"""The end of a person's account: his sessions are told in time. The accounts service ends them, nothing here does."""

from collections.abc import Callable

from mlinfn_condor.errors import UserError
from mlinfn_condor.hub.accounts.account import Accounts
from mlinfn_condor.hub.accounts.store import Store, Version
from mlinfn_condor.hub.culling.decision import Act, Decision, Evidence, Warn
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.session.notices import Notice

WHY = "Your account ends then."


def or_account_end(decision: Decision, evidence: Evidence, ends: float | None, rules: Rules, now: float) -> Decision:
    """The decision, or the warning of the account's end (seconds of the epoch) where that comes first.

    It needs no report: the end comes whatever the session does, and whether or not the site culls.
    """
    if ends is None or now < ends - 60 * rules.account_warning_minutes or isinstance(decision, Act):
        return decision
    if isinstance(decision, Warn) and decision.notice.deadline <= ends:
        return decision
    standing = evidence.notice
    if standing is not None and (standing.cause, standing.deadline) == ("account", ends):
        return Warn(standing)
    return Warn(Notice(now, ends, "stop", "account", WHY))


class AccountEnds:
    """When whose account ends, read again when the file has changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: Version | None = None
        self._accounts: Accounts = {}

    def __call__(self, user: str) -> float | None:
        """Seconds of the epoch; None: never, or nobody knows."""
        version = self._store.version()
        if version != self._version:
            try:
                self._accounts = self._store.read()
            except UserError:
                self._accounts = {}  # the hub's log tells at each sign-in what is wrong with the file
            self._version = version
        account = self._accounts.get(user)
        return account.until.timestamp() if account and account.until else None


EndOf = Callable[[str], float | None]
"""User → when his account ends."""
