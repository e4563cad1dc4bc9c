"""Who may use the hub: accounts with an end, sign-in elsewhere, and membership of projects as the pool sees it."""

from mlinfn_condor.hub.accounts.configuration import configure
from mlinfn_condor.hub.accounts.service import roles, service

__all__ = ["configure", "roles", "service"]
