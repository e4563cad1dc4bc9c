"""Which pool a command speaks to, and as whom."""

import os
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.pool import Pool


@dataclass(frozen=True)
class Connection:
    """A pool, and the home that its jobs share with the user."""

    pool: Pool
    home: Path


def choose(pool: str | None, user: str | None) -> None:
    """Options of the command line win over the environment, as everywhere."""
    named = {"MLINFN_POOL": pool, "MLINFN_USER": user}
    given = {name: value for name, value in named.items() if value is not None}
    if given:
        # An embedded pool was named: the configuration of another one, from an `eval` of before, must not win.
        os.environ.pop("CONDOR_CONFIG", None)
        os.environ.update(given)


def environment() -> dict[str, str]:
    """What a client's process needs to speak to the pool that `connect` means. Raises when that one is not up."""
    if "CONDOR_CONFIG" in os.environ:
        return {}
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    return lifecycle.running(settings).environment(settings.user)


def connect() -> Connection:
    """The pool that CONDOR_CONFIG names, else this user's embedded pool. Raises when that one is not up."""
    from mlinfn_condor.pool.real import RealPool

    if "CONDOR_CONFIG" in os.environ:
        return Connection(RealPool(), Path(os.environ.get("MLINFN_USER_HOME", Path.home())))
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    environment = lifecycle.running(settings).environment(settings.user)
    return Connection(RealPool(environment), Path(environment["MLINFN_USER_HOME"]))
