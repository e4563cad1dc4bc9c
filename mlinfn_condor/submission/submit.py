"""From a request to a job: the same template that a person would give to `condor_submit`."""

from mlinfn_condor.pool import JobId, Pool
from mlinfn_condor.submission import templates
from mlinfn_condor.submission.requests import Request


def submit(request: Request, pool: Pool) -> JobId:
    """Submit what is asked for to the access point of its class.

    Returns the first job; further ones of the request count up in `proc`. Raises JobRefused with the pool's reason.
    """
    description = templates.load(request.template).fill(request.parameters())
    return pool.submit(description, request.priority_class.access_point, request.rows())
