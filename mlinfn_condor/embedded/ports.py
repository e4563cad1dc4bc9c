"""The port of an embedded pool: a free one, and the same one again as long as nobody else took it."""

import random
import socket
from pathlib import Path

CHOICE = range(20000, 32000)
"""Below those that the kernel hands out (from 32768 on): one of these may be somebody's in the very next moment."""


def choose(kept: Path) -> int:
    """The port written in `kept` if it is still free, else a free one, which is written there."""
    try:
        port = int(kept.read_text())
    except (OSError, ValueError):
        port = 0
    port = _free(port) or next(filter(None, map(_free, random.sample(CHOICE, len(CHOICE)))), 0)
    kept.write_text(f"{port}\n")
    return port


def _free(port: int) -> int:
    """The port; 0 when somebody has it, and for 0."""
    with socket.socket() as probe:
        # As HTCondor binds it: connections of the last run that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
