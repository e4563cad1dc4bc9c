"""HTCondor's bindings, imported when the first call needs them.

Importing htcondor2 without a configuration ends the interpreter with nothing to catch, so we look for one first. And
its security sessions outlive a change of token: a process that has spoken as one user goes on being taken for that user
whatever token it is given later, even after `reload_config` (seen with 25.14.1). Hence one process, one identity.
"""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.pool.ads import KEPT_AS_TEXT

CONFIGURATION = ("CONDOR_", "_CONDOR_")
IDENTITY = ("CONDOR_CONFIG", "_CONDOR_SEC_TOKEN_DIRECTORY")

_lock = threading.Lock()
_connected_as: tuple[str | None, ...] | None = None


def connect(environment: Mapping[str, str]) -> None:
    """Make this process a client of the pool, and of the identity, that `environment` names."""
    global _connected_as
    with _lock:
        wanted = tuple(environment.get(name, os.environ.get(name)) for name in IDENTITY)
        if _connected_as not in (None, wanted):
            raise PoolUnavailable(
                "this process already speaks to a pool as another user, and HTCondor would go on taking it "
                "for that user: start a process per user"
            )
        _check_configuration(wanted[0])
        os.environ.update({name: environment[name] for name in environment if name.upper().startswith(CONFIGURATION)})
        _connected_as = wanted
        if "htcondor2" in sys.modules:  # somebody imported it before it had this configuration
            htcondor2().reload_config()


def _check_configuration(condor_config: str | None) -> None:
    if condor_config is None:
        if not any(Path(path).exists() for path in ("/etc/condor/condor_config", "/usr/local/etc/condor_config")):
            raise PoolUnavailable("this machine has no HTCondor configuration: `mlinfn pool up` brings up a pool on it")
    elif condor_config != "ONLY_ENV" and not os.access(condor_config, os.R_OK):
        raise PoolUnavailable(f"CONDOR_CONFIG names {condor_config}, which cannot be read: is the pool gone?")


def htcondor2() -> Any:
    """The module htcondor2."""
    import htcondor2

    return htcondor2


def classad2() -> Any:
    """The module classad2; it reads no configuration."""
    import classad2

    return classad2


def configured(name: str) -> str:
    """The value of a macro of the pool's configuration, as this process reads it; empty: it has none."""
    return str(htcondor2().param.get(name, ""))


@contextmanager
def answering(who: str) -> Iterator[None]:
    """Turn what the bindings raise into PoolUnavailable, which names the daemon."""
    try:
        yield
    except htcondor2().HTCondorException as error:
        raise PoolUnavailable(f"{who} did not answer: {error or 'no reason given'}") from error


def plain(ad: Any) -> dict[str, Any]:
    """A ClassAd as plain values (see `ads`)."""
    return {name: _plain(ad, name, value) for name, value in ad.items()}


def _plain(ad: Any, name: str, value: Any) -> Any:
    module = classad2()
    if isinstance(value, module.ClassAd):
        return plain(value)
    if isinstance(value, module.Value):
        return None
    if isinstance(value, list):
        return [_plain(ad, name, part) if isinstance(part, module.ClassAd) else _scalar(part) for part in value]
    if isinstance(value, module.ExprTree):
        if name.lower() not in KEPT_AS_TEXT:
            own = ad.eval(name)
            if isinstance(own, bool | int | float | str):
                return own
        return str(value)
    return value


def _scalar(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)


def satisfies(expression: str, ad: Mapping[str, Any]) -> bool:
    """Whether `expression` is true in the ad; UNDEFINED and a text that is no expression are not."""
    module = classad2()
    try:
        return module.ExprTree(expression).eval(module.ClassAd(dict(ad))) is True
    except module.ClassAdException:
        return False
