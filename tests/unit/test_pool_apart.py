"""Questions to a pool in a process of their own: answers, failures, and a process that hangs or dies."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from mlinfn_condor.errors import BadRequest, JobNotFound, PoolUnavailable
from mlinfn_condor.pool import JobId, Pool
from mlinfn_condor.pool.apart import PoolApart

JOB = JobId("batch@", 7)


# A process of its own imports these by name; the pool itself is not asked, but a configuration must exist.


def pid(_pool: Pool) -> int:
    return os.getpid()


def large(_pool: Pool) -> bytes:
    return b"x" * 5_000_000


def prints(_pool: Pool) -> str:
    sys.stdout.write("noise between the answers")
    sys.stdout.flush()
    os.write(1, b"noise of a library")
    return "clean"


def misses(_pool: Pool) -> None:
    raise JobNotFound(f"{JOB} is not there")


def cannot_be_passed_on(_pool: Pool) -> object:
    return lambda: None


def hangs(_pool: Pool) -> None:
    time.sleep(600)


def stopped(_pool: Pool) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def dies(_pool: Pool) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(story: Callable[[PoolApart], Coroutine[Any, Any, Any]], seconds: float = 60) -> Any:
    async def told() -> Any:
        pool = PoolApart(seconds)
        try:
            return await story(pool)
        finally:
            await pool.close()

    return asyncio.run(told())


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDOR_CONFIG", "ONLY_ENV")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def test_all_questions_go_to_one_other_process() -> None:
    async def story(pool: PoolApart) -> list[int]:
        return [await pool.ask(pid), *await asyncio.gather(*(pool.ask(pid) for _ in range(20)))]

    pids = set(run(story))
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_answers_come_whole_whatever_is_printed_between_them() -> None:
    async def story(pool: PoolApart) -> tuple[str, int, str]:
        return await pool.ask(prints), len(await pool.ask(large)), await pool.ask(prints)

    assert run(story) == ("clean", 5_000_000, "clean")


def test_what_a_question_raises_is_raised_here_and_the_process_goes_on() -> None:
    async def story(pool: PoolApart) -> bool:
        before = await pool.ask(pid)
        with pytest.raises(JobNotFound, match=r"batch@7\.0 is not there"):
            await pool.ask(misses)
        with pytest.raises(RuntimeError, match="cannot be passed on"):
            await pool.ask(cannot_be_passed_on)
        return before == await pool.ask(pid)

    assert run(story)


@pytest.mark.parametrize("stuck", [hangs, stopped])
def test_one_that_does_not_answer_is_ended_and_the_next_question_is_answered(stuck: Callable[[Pool], None]) -> None:
    async def story(pool: PoolApart) -> tuple[int, int]:
        before, patience = await pool.ask(pid), pool._seconds
        pool._seconds = 0.5  # not before: a process takes its time to begin
        with pytest.raises(PoolUnavailable, match=r"within 0\.5 s"):
            await pool.ask(stuck)
        pool._seconds = patience
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)
        return before, await pool.ask(pid)

    before, after = run(story)
    assert before != after


def test_one_that_dies_is_told_of_and_started_again() -> None:
    async def story(pool: PoolApart) -> tuple[int, int]:
        before = await pool.ask(pid)
        with pytest.raises(PoolUnavailable, match="has ended"):
            await pool.ask(dies)
        return before, await pool.ask(pid)

    before, after = run(story)
    assert before != after


def test_a_question_given_up_leaves_nothing_behind_for_the_next() -> None:
    async def story(pool: PoolApart) -> int:
        asked = asyncio.ensure_future(pool.ask(hangs))
        while pool.pid is None:
            await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        return await pool.ask(pid)

    assert run(story) != os.getpid()


def test_a_pool_without_configuration_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDOR_CONFIG", "/does/not/exist")

    async def story(pool: PoolApart) -> None:
        await pool.ask(pid)

    with pytest.raises(PoolUnavailable, match="/does/not/exist"):
        run(story)


def test_a_refused_question_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(pool: PoolApart) -> None:
        await pool.ask(refuses)

    with pytest.raises(BadRequest, match="no such thing"):
        run(story)


def refuses(_pool: Pool) -> None:
    raise BadRequest("no such thing")
