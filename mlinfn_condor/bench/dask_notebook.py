"""A person's notebook for the bench `dask`: one Dask cluster, workers, and a computation that is known.

`python -m mlinfn_condor.bench.dask_notebook ours|plain …` in an environment of `mlinfn pool env`; tells by JSON lines.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker

from mlinfn_condor.dask.computation import compute

OURS, PLAIN = "ours", "plain"
LOOKS = 10
"""So often in a row a worker must be one too many: between two computations there are too many for a moment."""


def main() -> None:
    """Bring the workers up, and compute if there is something to compute."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=(OURS, PLAIN))
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--patience", type=float, required=True, help="seconds to wait for the workers")
    parser.add_argument("--blocks", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that each block takes")
    parser.add_argument("--journal", default="")
    parser.add_argument("--until", type=Path, help="compute again and again until this file is there")
    parser.add_argument("--adapt", action="store_true", help="as many workers as the work needs, instead of so many")
    parser.add_argument("--options", type=json.loads, default={}, help="parameters of the cluster, as JSON")
    given = parser.parse_args()
    with _cluster(given.kind, given.options) as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        began = time.monotonic()
        if given.adapt:
            cluster.adapt(maximum=given.workers, interval="1s", wait_count=LOOKS)
            _say(**_computed(client, given))
            return
        cluster.scale(given.workers)
        try:
            client.wait_for_workers(given.workers, timeout=given.patience)
        except TimeoutError:
            _say(joined=len(client.scheduler_info(n_workers=-1)["workers"]), wanted=given.workers)
            return
        seconds = time.monotonic() - began
        submits = len({job.job_id.partition(".")[0] for job in cluster.workers.values()})
        _say(joined=given.workers, wanted=given.workers, seconds=seconds, submits=submits)
        if given.blocks:
            _say(**_computed(client, given))


def _cluster(kind: str, options: dict[str, Any]) -> Any:
    if kind == PLAIN:
        from dask_jobqueue.htcondor import HTCondorCluster

        return HTCondorCluster(**options)
    from mlinfn_condor.dask import Cluster

    return Cluster(**options)


def _computed(client: Client, given: argparse.Namespace) -> dict[str, Any]:
    try:
        result = compute(client, blocks=given.blocks, pause_seconds=given.pause, journal=given.journal)
        while given.until and not given.until.exists() and result.right:
            result = compute(client, blocks=given.blocks, pause_seconds=given.pause, journal=given.journal)
    except KilledWorker as error:
        return {"right": False, "killed_worker": 1, "error": str(error)}
    return {"right": result.right and result.blocks == given.blocks, "killed_worker": 0, "seconds": result.seconds}


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
