"""A pool asked in a process of its own, for those who must never stand still: `await PoolApart().ask(question)`.

HTCondor's bindings keep the interpreter's lock while they wait for a daemon (25.14.1), so a thread is no way out: a
collector that hangs would stop every thread of its process for a minute. A process can be waited for, and ended.

Questions and answers travel as pickles, each behind its length, through pipes that no other process has.
"""

import asyncio
import contextlib
import os
import pickle
import struct
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Protocol, TypeVar, cast

from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.pool.protocol import Pool

Done = TypeVar("Done")

ANSWER_SECONDS = 20
"""After so long without an answer the process is ended, and the next question starts another one."""

_LENGTH = struct.Struct("!Q")


class Asked(Protocol):
    """Something that puts questions to a pool without holding up the event loop."""

    async def ask(self, question: Callable[[Pool], Done]) -> Done:
        """What `question` returns; what it raises is raised here."""
        ...


class PoolApart:
    """The pool that this process's environment leads to, asked in another process; one question at a time."""

    def __init__(self, answer_seconds: float = ANSWER_SECONDS, environment: Mapping[str, str] | None = None) -> None:
        """`environment`: what that process has beside ours; a `_CONDOR_SEC_TOKEN_DIRECTORY` gives other rights."""
        self._seconds = answer_seconds
        self._environment = dict(environment or {})
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process that asks; None while there is none."""
        return self._process.pid if self._process else None

    async def ask(self, question: Callable[[Pool], Done]) -> Done:
        """What `question` returns; what it raises is raised here. Both must be fit for pickling.

        Raises PoolUnavailable when no answer comes in time. What was asked for may have been done nevertheless.
        """
        async with self._turn:
            try:
                done, answer = await asyncio.wait_for(self._exchange(pickle.dumps(question)), self._seconds)
            except TimeoutError as error:
                await self._end()
                raise PoolUnavailable(f"the pool did not answer within {self._seconds:g} s") from error
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                await self._end()
                raise PoolUnavailable(
                    "the process that asks the pool has ended; the next question starts it"
                ) from error
            except BaseException:  # half an exchange is left in the pipes, and the next question would read it
                await self._end()
                raise
        if not done:
            raise answer
        return cast(Done, answer)

    async def close(self) -> None:
        """End the process; a later question starts another one."""
        async with self._turn:
            await self._end()

    async def _exchange(self, question: bytes) -> tuple[bool, Any]:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", __name__),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **self._environment},
            )
        into, out = cast(StreamWriter, self._process.stdin), cast(StreamReader, self._process.stdout)
        into.write(_LENGTH.pack(len(question)) + question)
        await into.drain()
        (length,) = _LENGTH.unpack(await out.readexactly(_LENGTH.size))
        return cast(tuple[bool, Any], pickle.loads(await out.readexactly(length)))  # noqa: S301 - our own process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def answer(connect: Callable[[], Pool], questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer questions until their end; connects with the first one, and again after a failure."""
    pool: Pool | None = None
    while head := questions.read(_LENGTH.size):
        question = pickle.loads(questions.read(*_LENGTH.unpack(head)))  # noqa: S301 - from the process that began us
        try:
            pool = pool or connect()
            told = _packed((True, question(pool)))
        except Exception as error:
            told = _packed((False, error))
        answers.write(_LENGTH.pack(len(told)) + told)
        answers.flush()


def _packed(told: tuple[bool, object]) -> bytes:
    done, what = told
    try:
        packed = pickle.dumps(told)
        if not done:
            pickle.loads(packed)  # noqa: S301 - an exception may pack well and yet not unpack
    except Exception:
        return pickle.dumps((False, RuntimeError(f"an answer that cannot be passed on: {what!r}")))
    return packed


def _serve() -> None:
    from mlinfn_condor.pool.real import RealPool

    # What the bindings or anybody else print belongs into the log, not between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        answer(RealPool, sys.stdin.buffer, answers)


if __name__ == "__main__":
    _serve()
