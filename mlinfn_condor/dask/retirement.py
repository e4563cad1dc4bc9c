"""A worker that comes is patient, and a displaced one hands its results to the others before it leaves: `dask worker
--preload-nanny` with this module.

By itself a Dask worker that gets SIGTERM just closes, and everything that only it held is computed again.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from distributed.core import rpc

if TYPE_CHECKING:
    from distributed import Nanny

RETIRE_SECONDS = 15
"""Longest time for handing over. With the 10 s that Dask then gives the worker to close it fits the window of 30 s."""

CONNECT_SECONDS = 1
"""Shorter than Dask's 30: a scheduler that does not answer is gone, as when the user closes the cluster."""

_log = logging.getLogger("distributed.nanny.retirement")


async def dask_setup(nanny: "Nanny") -> None:
    """Dask calls this before the nanny speaks to the scheduler: it may wait as long as the worker (`death-timeout`).

    By itself it ends its job after the 30 s of any connection. A scheduler that 200 workers come to at once, each with
    TLS, keeps the last ones waiting longer on a busy machine, and those who come anew for them make it worse.
    """
    if nanny.death_timeout:
        nanny.rpc.timeout = nanny.death_timeout


async def dask_teardown(nanny: "Nanny") -> None:
    """Dask calls this when the nanny closes. Failing is no harm: the lost results are computed again."""
    worker = nanny.worker_address
    if worker is None or not nanny.is_alive():  # type: ignore[no-untyped-call]
        return
    try:
        async with asyncio.timeout(RETIRE_SECONDS), _scheduler(nanny) as scheduler:
            await scheduler.retire_workers(workers=[worker])
    except (OSError, TimeoutError) as error:
        _log.info("Left without handing over: %s", str(error) or f"not done within {RETIRE_SECONDS} s")
    else:
        _log.info("Handed over to the other workers")


def _scheduler(nanny: "Nanny") -> Any:
    """A connection of its own: the nanny's would try to reach a scheduler that is gone for 30 s."""
    return rpc(nanny.scheduler.addr, timeout=CONNECT_SECONDS, connection_args=nanny.connection_args)  # type: ignore[no-untyped-call]
