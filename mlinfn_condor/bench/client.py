"""Clients of the pool under test: a warm process for each identity, because HTCondor's bindings know one a process."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import ACCESS_POINTS, Pool

P = ParamSpec("P")
T = TypeVar("T")
_PROCESSES = get_context("forkserver")
STOP_SECONDS = 5


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What an act came to."""

    result: T
    began: float
    """Seconds of the epoch just before the act."""


class Client:
    """One user with a program that has spoken to the pool before, as a hub has, or a notebook after its first cell."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        _PROCESSES.set_forkserver_preload(["__main__", "mlinfn_condor.bench.client", "mlinfn_condor.submission.submit"])
        self._connection, theirs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_serve, args=(dict(environment), theirs), daemon=True)
        self._process.start()
        theirs.close()

    def start(self, act: Callable[Concatenate[Pool, P], T], *arguments: P.args, **named: P.kwargs) -> None:
        """Begin `act(pool, …)`, at the moment (seconds of the epoch) given to `not_before` if there is one."""
        self._connection.send((act, arguments, named, self._moment))
        self._moment = 0.0

    _moment: float = 0.0

    def not_before(self, moment: float) -> "Client":
        """The next act starts at that time: so do many clients at once."""
        self._moment = moment
        return self

    def finish(self) -> Answer[Any]:
        """Wait for the act that was begun. Raises what it raised."""
        outcome = self._connection.recv()
        if isinstance(outcome, Exception):
            raise outcome
        return cast(Answer[Any], outcome)

    def call(self, act: Callable[Concatenate[Pool, P], T], *arguments: P.args, **named: P.kwargs) -> Answer[T]:
        """Do `act(pool, …)` as this user."""
        self.start(act, *arguments, **named)
        return self.finish()

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.terminate()


def _serve(environment: dict[str, str], requests: Connection) -> None:
    from mlinfn_condor.pool.real import RealPool

    os.environ.update(environment)
    # What a submit template takes from the user's environment.
    os.environ["HOME"] = environment["MLINFN_USER_HOME"]
    pool = RealPool(environment)
    for access_point in ACCESS_POINTS:
        pool.jobs("false", access_points=[access_point])
    while True:
        try:
            act, arguments, named, moment = requests.recv()
        except EOFError:
            return
        time.sleep(max(0.0, moment - time.time()))
        began = time.time()
        try:
            requests.send(Answer(act(pool, *arguments, **named), began))
        except MlinfnError as error:
            requests.send(error)
