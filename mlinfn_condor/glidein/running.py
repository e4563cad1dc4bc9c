"""The life of a glidein: prepare, start the startd, look after it until it ends, clear away."""

import os
import signal
import sys
import time
from pathlib import Path

from mlinfn_condor.glidein import cgroup, configuration, fpgas, holdings, numbers, ownership, processes
from mlinfn_condor.glidein.children import Children, ended, inherit_orphans, send
from mlinfn_condor.glidein.course import Course, Times
from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.glidein.orders import Orders
from mlinfn_condor.glidein.outcome import Exit
from mlinfn_condor.node import images
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.discovery import discover

HEARD = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
TICK_SECONDS = 0.5
"""How late it sees what no signal tells: a deadline, the startd's address."""
_LOG_LINES = 15


def run(orders: Orders, began: float) -> tuple[Exit, str]:
    """Live, and tell how it ended; nothing of it is left then. `began`: time.monotonic() at the start.

    Raises GlideinFailed when it cannot start at all.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    inherit_orphans()
    layout = Layout(orders.work)
    layout.make()
    try:
        times = _prepare(orders, layout)
        return _live(orders, layout, times, began)
    finally:
        processes.end(layout.work, heir=os.getpid(), reap=lambda: list(ended()))
        layout.remove()


def _prepare(orders: Orders, layout: Layout) -> Times:
    layout.condor_config.write_text(configuration.root(layout, orders))
    layout.own_config.write_text(configuration.first(orders))
    known = numbers.read(orders, layout)
    node = _node(orders, known["RESERVE_MB"])
    node.write(layout.description)
    for path, text in configuration.files(layout, orders, node):
        path.write_text(text)
    ownership.hand_over(orders, layout)
    images.make_test_image(configuration.own_folder(orders.htcondor, "libexec"), layout.test_image)
    return Times(known["JOIN_SECONDS"], known["GRACE_SECONDS"], known["GOODBYE_SECONDS"])


def _node(orders: Orders, reserve_mb: int) -> Node:
    if orders.description is not None:
        return holdings.described(orders, Node.read(orders.description))
    libexec = configuration.own_folder(orders.htcondor, "libexec")
    real = () if orders.devices == {} else (*discover(libexec / "condor_gpu_discovery"), *fpgas.discover())
    return holdings.node(orders, cgroup.of_this_process(), reserve_mb, real)


def _live(orders: Orders, layout: Layout, times: Times, began: float) -> tuple[Exit, str]:
    children = Children(orders, layout)
    startd = children.startd()
    question: int | None = children.ask_collector()
    taken = False
    course = Course(began, times)
    while True:
        heard = signal.sigtimedwait(HEARD, TICK_SECONDS)
        now = time.monotonic()
        if heard is not None and heard.si_signo != signal.SIGCHLD:
            course = course.told(Exit.TERMINATED, "it was told to end", now)
        for pid, code in ended():
            if pid == question:
                question, taken = None, taken or code == 0
            if pid == startd:
                if code < 0:
                    children.withdraw_slots()
                return _ended(layout, course, code)
        if not course.joined and taken and layout.address.exists():
            course = course.taken()
            _tell(orders, f"listens, and {orders.collector} takes it, {now - began:.1f} s after its start")
        elif question is None and not taken and course.ending is None:
            question = children.ask_collector()
        course = course.checked(now, "" if course.joined else children.answer())
        if (due := course.due(now)) is not None:
            course = course.signalled(due)
            send(startd, due)


def _ended(layout: Layout, course: Course, code: int) -> tuple[Exit, str]:
    """The startd is gone. One that was killed left starters behind: they can still tell their access points."""
    if course.ending is None and code != 0:
        window = max(0.0, course.times.grace - course.times.goodbye)
        processes.end(layout.work, window, os.getpid(), lambda: list(ended()))
    outcome, words = course.outcome(code, _log(layout.log / "StartLog", 1))
    if not outcome.as_it_should:
        sys.stderr.write(_log(layout.log / "StartLog", _LOG_LINES) + "\n")
    return outcome, words


def _log(file: Path, lines: int) -> str:
    try:
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "it wrote no log"


def _tell(orders: Orders, what: str) -> None:
    sys.stderr.write(f"glidein {orders.name}: {what}\n")
    sys.stderr.flush()
