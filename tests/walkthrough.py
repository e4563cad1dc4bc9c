"""A page of documentation, followed as a reader does: its files written, its commands typed, its answers compared.

A block `console` has commands after `$ ` and, below each, what is answered: `…` in a line stands for any text, alone
on a line for any lines. What has nothing below it only has to succeed. A block `LANGUAGE NAME` is a file of that name.
"""

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ANYTHING = "…"
END = "--- end of what was answered:"


@dataclass(frozen=True)
class File:
    """What the reader is to write."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """What he is to type, and what he then sees."""

    text: str
    answer: str


@dataclass(frozen=True)
class Fence:
    """A fenced block."""

    info: str
    text: str
    line: int


def fences(text: str) -> list[Fence]:
    """All of a page."""
    tokens = MarkdownIt().parse(text)
    return [Fence(each.info.strip(), each.content, each.map[0] + 1) for each in tokens if each.type == "fence"]


def steps(text: str) -> Iterator[File | Command]:
    """Files and commands of a page, in its order."""
    for fence in fences(text):
        kind, _, name = fence.info.partition(" ")
        if kind == "console":
            yield from _commands(fence.text)
        elif name:
            yield File(name, fence.text)


def _commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        text, _, answer = part.partition("\n")
        yield Command(text, answer)


def answers(expected: str, said: str) -> bool:
    """Whether what was said is what the page promises."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == ANYTHING else f"{ANYTHING_IN_LINE.join(map(re.escape, line.split(ANYTHING)))}\n"
        for line in expected.splitlines()
    )
    return not expected.strip() or re.fullmatch(pattern, f"{said.rstrip()}\n") is not None


ANYTHING_IN_LINE = ".*?"


class Shell:
    """One shell, for all that is typed into it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def type(self, command: str, seconds: float) -> tuple[int, str]:
        """Exit code, and what it said. AssertionError when it takes longer."""
        assert self._process.stdin
        self._process.stdin.write(f"{command}\nprintf '\\n{END} %s\\n' $?\n".encode())
        self._process.stdin.flush()
        said, code = self._read(command, seconds).rsplit(END, 1)
        return int(code), said.strip("\n")

    def _read(self, command: str, seconds: float) -> str:
        assert self._process.stdout
        deadline, said = time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not re.search(rf"{END} \d+\n".encode(), said):
                left = deadline - time.monotonic()
                assert left > 0, f"{command}: no end after {seconds} s; so far:\n{said.decode(errors='replace')}"
                if selector.select(left):
                    more = os.read(self._process.stdout.fileno(), 65536)
                    assert more, f"{command}: the shell ended; so far:\n{said.decode(errors='replace')}"
                    said += more
        return said.decode(errors="replace")

    def close(self) -> None:
        """It, and what runs in it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
