"""As whom a schedule's jobs are submitted: as their owner, in one of two ways.

In the embedded pool the owner's own token lies beside everybody's, and the job is submitted with it. On a site the
submitting identity is one of MLINFN_SCHEDULERS, which `batch@` (and not `interactive@`) lets submit in others' names.
"""

import os
from collections.abc import Mapping

from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.errors import EmbeddedPoolError
from mlinfn_condor.settings import Settings


def embedded() -> bool:
    """Whether the pool is this user's embedded one."""
    spoken_to = os.environ.get("CONDOR_CONFIG")
    try:
        own = str(lifecycle.running(Settings()).layout.condor_config)
    except EmbeddedPoolError:
        return spoken_to is None
    return spoken_to in (None, own)


def environment_of(owner: str) -> Mapping[str, str] | None:
    """What a process needs beside this one's to submit as `owner`; None: this one's will do, on the owner's behalf.

    Raises EmbeddedPoolError for a user that the embedded pool does not know.
    """
    return lifecycle.running(Settings()).environment(owner) if embedded() else None
