"""A private PostgreSQL of one user on one machine: no root, no set-up, no port."""

from mlinfn_condor.store.local.layout import IDENTITY, OWNER, RECORDER, REPORTS, REST, ROLES, SCHEDULES
from mlinfn_condor.store.local.server import LocalServer, LocalStatus, Progress

__all__ = [
    "IDENTITY",
    "OWNER",
    "RECORDER",
    "REPORTS",
    "REST",
    "ROLES",
    "SCHEDULES",
    "LocalServer",
    "LocalStatus",
    "Progress",
]
