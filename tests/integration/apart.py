"""A gate to the real pool in a process of its own: tests speak as several people, and one process has one identity."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

_gate: Any = None


class Apart:
    """Every method of the gate, asked in the other process."""

    def __init__(self, process: ProcessPoolExecutor) -> None:
        self._process = process

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda *words, **options: self._process.submit(_ask, method, words, options).result()


@contextmanager
def apart(gate: Callable[[], object], environment: Mapping[str, str]) -> Iterator[Any]:
    """The gate that `gate` makes where this environment says who speaks to which pool."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=_adopt, initargs=(gate, dict(environment))) as process:
        yield Apart(process)


def _adopt(gate: Callable[[], object], environment: dict[str, str]) -> None:
    global _gate
    os.environ.update(environment)
    _gate = gate()


def _ask(method: str, words: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return getattr(_gate, method)(*words, **options)
