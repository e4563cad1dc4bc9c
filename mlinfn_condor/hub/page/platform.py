"""What the pages need of the hub's side of the platform; whoever watches the pool for the hub gives it."""

from typing import Protocol

from mlinfn_condor.hub.page.inventory import Inventory
from mlinfn_condor.hub.page.limits import Limits
from mlinfn_condor.pool import Job
from mlinfn_condor.submission.snapshot import Snapshot


class Platform(Protocol):
    """`self.settings["mlinfn"]` of the hub's request handlers."""

    @property
    def limits(self) -> Limits:
        """What a person may have."""

    @property
    def inventory(self) -> Inventory:
        """The devices that were seen up to the latest snapshot."""

    @property
    def owners_displace_sessions(self) -> bool:
        """The pool's MLINFN_OWNER_DISPLACES_SESSIONS."""

    async def snapshot(self) -> Snapshot | None:
        """The latest look at the pool, the same object until there is a newer one; None: the pool does not answer.

        It must not wait for the pool: every open spawn page asks for it every few seconds.
        """

    def projects_of(self, user: str) -> tuple[str, ...]:
        """Projects that the user may account on, the default one first."""

    def owner_of(self, job: Job) -> tuple[str, str] | None:
        """User and server name if the job is a session of this hub; None for any other job."""
