"""`adapt()` for a shared pool: no more workers than it can start."""

from typing import TYPE_CHECKING, Any

from distributed.deploy.adaptive import Adaptive

if TYPE_CHECKING:
    from mlinfn_condor.dask.cluster import Cluster


def enough(wanted: int, asked: int, running: int, room: int) -> int:
    """How many workers to have when the computation could use `wanted`.

    `asked` are in the queue, `running` of them run, `room` more could start. Invariants: never more than wanted; never
    more than asked for already, unless the pool can start them all; who waits is not given up while he is wanted,
    for he was displaced, and HTCondor starts him again.
    """
    return min(wanted, max(asked, running + room))


class PoolAdaptive(Adaptive):
    """Dask's own, whose target is bounded by what the pool can start."""

    cluster: "Cluster"

    def __init__(self, cluster: "Cluster", *, waiting: int | None = None, **options: Any) -> None:
        """`waiting`: so many may wait in the queue, for nodes that are added when somebody waits for them.

        Otherwise as many as one more node takes, if the pool tells that one can be added; when it has come, another.
        """
        self.waiting = waiting
        super().__init__(cluster, **options)

    async def safe_target(self) -> int:
        """See Adaptive. Asks the pool only when more are wanted than there are."""
        wanted = await super().safe_target()
        asked = len(self.plan)
        if wanted <= asked:
            return wanted
        running, room, to_come = await self.cluster.capacity()
        return enough(wanted, asked, running, room + (to_come if self.waiting is None else self.waiting))
