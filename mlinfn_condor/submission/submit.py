"""From a request to a job: the same template that a person would give to `condor_submit`."""

from collections.abc import Mapping, Sequence

from mlinfn_condor.errors import JobRefused, MlinfnError
from mlinfn_condor.pool import JobId, Pool
from mlinfn_condor.submission import templates
from mlinfn_condor.submission.requests import Request


def submit(request: Request, pool: Pool) -> JobId:
    """Submit what is asked for to the access point of its class, in one transaction.

    Returns the first job; further ones of the request count up in `proc`. Raises JobRefused with the pool's reason.
    """
    description = templates.load(request.template).fill(request.parameters())
    return pool.submit(description, request.priority_class.access_point, request.rows())


def submit_in_parts(request: Request, pool: Pool, jobs_at_once: int) -> list[tuple[JobId, int]]:
    """Submit a request with many rows, at most `jobs_at_once` in one transaction: first job and count of each part.

    All of it or nothing: when a part is refused, or the caller is interrupted, the parts before it are removed.
    """
    description = templates.load(request.template).fill(request.parameters())
    access_point, rows = request.priority_class.access_point, request.rows()
    parts = [rows[start : start + jobs_at_once] for start in range(0, len(rows), jobs_at_once)]
    done: list[tuple[JobId, int]] = []
    try:
        for part in parts:
            done.append((pool.submit(description, access_point, part), len(part)))
    except BaseException as reason:
        _take_back(pool, done, parts, reason)
        raise
    return done


def _take_back(
    pool: Pool, done: list[tuple[JobId, int]], parts: Sequence[Sequence[Mapping[str, str]]], reason: BaseException
) -> None:
    """Remove what was submitted already; those that started meanwhile go with their window."""
    left = []
    for first, _ in done:
        try:
            pool.remove_submit(first, "a later part of the same sweep was refused")
        except MlinfnError:
            left.append(first)
    if left:
        by_hand = " ".join(str(first.cluster) for first in left)
        raise JobRefused(
            f"part {len(done) + 1} of {len(parts)} was refused ({reason or type(reason).__name__}), and those before "
            f"it could not be removed: condor_rm -name {left[0].access_point} {by_hand} ends them"
        ) from reason
