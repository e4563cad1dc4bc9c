"""What a Dask user's script looks like here: plain `HTCondorCluster`, and a result that can be checked.

`python -m mlinfn_condor.demo.dask_script` in an environment of `mlinfn pool env`; prints its outcome as one JSON line.
"""

import argparse
import json
import time
from dataclasses import asdict

from dask_jobqueue.htcondor import HTCondorCluster
from distributed import Client

from mlinfn_condor.dask.computation import compute
from mlinfn_condor.demo.outcome import DaskOutcome
from mlinfn_condor.demo.terminal import BATCH_NAME


def main() -> None:
    """Compute π on so many workers of one GPU each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--patience", type=float, default=90, help="seconds to wait for the workers")
    given = parser.parse_args()
    began = time.monotonic()
    directives = {"request_gpus": "1", "batch_name": BATCH_NAME}
    # All on this machine: nobody else need reach the scheduler.
    cluster = HTCondorCluster(interface="lo", job_extra_directives=directives)
    with cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        cluster.scale(given.workers)  # type: ignore[no-untyped-call]
        client.wait_for_workers(given.workers, timeout=given.patience)
        ready = time.monotonic() - began
        result = compute(client, blocks=32, pause_seconds=0.1)
    outcome = DaskOutcome(
        given.workers,
        result.area,
        result.error,
        result.bound,
        result.right,
        result.blocks_by_worker,
        round(ready, 2),
        round(result.seconds, 2),
    )
    print(json.dumps(asdict(outcome)))  # noqa: T201


if __name__ == "__main__":
    main()
