"""The kernels and terminals of a Jupyter server, as reports name them; and the way to say something in a terminal."""

import contextlib
import fcntl
import os
import struct
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlinfn_condor.session.activity import Kernel, Terminal
from mlinfn_condor.session.notices import WITHDRAWN, Notice, for_terminal

_TIOCGPTN = 0x80045430
"""Number of the terminal behind a master's descriptor (Linux, asm-generic/ioctls.h)."""


def kernels_of(manager: Any) -> list[Kernel]:
    """Of Jupyter's kernel manager."""
    return [
        Kernel(
            id=model["id"],
            state=str(model["execution_state"]),
            last_activity=datetime.fromisoformat(model["last_activity"]).timestamp(),
            connections=model["connections"],
        )
        for model in manager.list_kernels()
    ]


def terminals_of(manager: Any) -> list[Terminal]:
    """Of Jupyter's terminal manager; none where terminals are off. One that ends meanwhile is left out."""
    terminals = []
    for name, terminal in list(manager.terminals.items()) if manager is not None else []:
        with contextlib.suppress(OSError, ValueError):
            terminals.append(_terminal(name, terminal))
    return terminals


def _terminal(name: str, terminal: Any) -> Terminal:
    master, shell = terminal.ptyproc.fd, terminal.ptyproc.pid
    (number,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, b"\0" * 4))
    # Linux sets a terminal's access time when a program reads from it, to a multiple of 8 s.
    last_input = Path(f"/dev/pts/{number}").stat().st_atime
    foreground = os.tcgetpgrp(master)
    program = Path(f"/proc/{foreground}/comm").read_text().strip() if foreground != shell else None
    return Terminal(name, last_input, program, len(terminal.clients))


def show_in_terminals(manager: Any, notice: Notice | None, shown: Mapping[str, Notice]) -> dict[str, Notice]:
    """Say in each terminal, once, what it does not show yet; `shown` and the result are what each terminal shows.

    The words go to those who look at the terminal and to its history, never to the program in it.
    """
    now_shown = {}
    for name, terminal in list(manager.terminals.items()) if manager is not None else []:
        before = shown.get(name)
        if notice is not None and (before is None or before.given != notice.given):
            _say(terminal, for_terminal(notice))
        elif notice is None and before is not None:
            _say(terminal, WITHDRAWN)
        if notice is not None:
            now_shown[name] = notice
    return now_shown


def _say(terminal: Any, words: str) -> None:
    terminal.read_buffer.append(words)
    for client in list(terminal.clients):
        client.on_pty_read(words)
