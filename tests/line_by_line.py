"""Programs that are told something when they have said something, however late the test comes to read it."""

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def line_by_line(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], TextIO]]:
    """The program and its lines, each flushed. It is one line ahead of its reader at most, then it waits."""
    reading, writing = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)  # each write is a packet, and each packet takes a page
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGE_SIZE"))
    with subprocess.Popen(command, stdout=writing, env=environment) as process:
        os.close(writing)
        with os.fdopen(reading) as lines:
            yield process, lines
