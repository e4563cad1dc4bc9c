"""The bench `web`: what many viewers of a large pool cost, beside a single one, and how soon the page is there."""

import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlinfn_condor.bench.figures import Beside, Case, Measured, Target, distribution
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.spawn_browser import browser
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout
from mlinfn_condor.web.person import COOKIE

NAME, VIEWERS = "web", "viewers"
CASES = (VIEWERS,)
TARGET: Target = {"core_percent": ("<=", 10), "worst_paint_s": ("<=", 1), "more_schedd_questions": ("<=", 0)}
PATIENCE_SECONDS = 300
TICKS = os.sysconf("SC_CLK_TCK")
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


@dataclass(frozen=True)
class Size:
    """How large a run is."""

    nodes: int
    jobs: int
    viewers: int
    seconds: float
    paints: int


WHOLE, QUICK = Size(500, 20_000, 200, 120, 11), Size(50, 2_000, 20, 20, 3)


@dataclass(frozen=True)
class Server:
    """The window over a pool that stands in."""

    pid: int
    port: int
    secret: str

    @property
    def seconds(self) -> float:
        """Of CPU that it took so far."""
        told = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / TICKS

    @property
    def asked(self) -> dict[str, int]:
        """Questions to the pool so far, by kind."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/asked", timeout=30) as answer:
            found: dict[str, int] = json.load(answer)
        return found


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    about, size = opening(NAME, CASES, cases, quick=quick), QUICK if quick else WHOLE
    with _server(size, report) as server:
        with _viewers(server, 1):
            one = _figures(server, size, "one viewer", report)
        with _viewers(server, size.viewers) as viewers:
            many = _figures(server, size, f"{size.viewers} viewers", report)
            many |= {"events_per_viewer": round(viewers.events / size.viewers, 1), "kb_per_viewer_s": viewers.rate_kb}
            paints = _paints(server, size, report)
    more = many["schedd_questions"] - one["schedd_questions"]
    painted = distribution(paints)
    ours = many | {
        "more_schedd_questions": more,
        "median_paint_s": painted["median_s"],
        "worst_paint_s": painted["worst_s"],
        "nodes": size.nodes,
        "jobs": size.jobs,
    }
    measured = Measured(ours, {"paint_s": [round(one, 3) for one in paints]})
    case = Case(VIEWERS, measured, TARGET, Beside("one viewer", Measured(one)))
    return about | {"cases": [case.as_json()]}


def _figures(server: Server, size: Size, what: str, report: Report) -> dict[str, float]:
    """From one look at the queues to the first one after `seconds`: whole rounds, not cut ones."""
    with report.step(f"{what}: {size.seconds:g} s"):
        asked = _after_a_look(server)
        cpu, began = server.seconds, time.monotonic()
        time.sleep(size.seconds)
        ended = server.asked
        took, passed = server.seconds - cpu, time.monotonic() - began
    return {
        "core_percent": round(100 * took / passed, 2),
        "schedd_questions": ended["jobs"] - asked["jobs"],
        "collector_questions": ended["slots"] + ended["submitters"] - asked["slots"] - asked["submitters"],
        "rss_mb": round(_rss_mb(server.pid)),
    }


def _after_a_look(server: Server) -> dict[str, int]:
    before, deadline = server.asked, time.monotonic() + PATIENCE_SECONDS
    while (now := server.asked)["jobs"] == before["jobs"]:
        if time.monotonic() > deadline:
            raise Timeout(f"the queues were not looked at for {PATIENCE_SECONDS} s")
        time.sleep(0.1)
    return now


def _paints(server: Server, size: Size, report: Report) -> list[float]:
    """Seconds from the address to the first paint, each in a browser that was never here, with all viewers there."""
    told = []
    with browser() as program, report.step(f"first paint: {size.paints} times", size.paints) as step:
        for _ in range(size.paints):
            context = program.new_context(viewport={"width": 1280, "height": 900})
            context.add_cookies([{"name": COOKIE, "value": server.secret, "url": f"http://127.0.0.1:{server.port}/"}])
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{server.port}/", wait_until="load")
            page.wait_for_function(PAINTED)
            told.append(float(page.evaluate(PAINTED)) / 1000)
            context.close()
            step.advance(1)
    return told


@contextmanager
def _server(size: Size, report: Report) -> Iterator[Server]:
    command = [sys.executable, "-m", "mlinfn_condor.bench.web_pool", str(size.nodes), str(size.jobs)]
    with report.step(f"make up {size.nodes} nodes and {size.jobs} jobs"):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        words = (process.stdout.readline() if process.stdout else "").split()
    try:
        if len(words) != 2:
            raise Timeout("the window over the made-up pool did not come up: its error is above")
        yield Server(process.pid, int(words[0]), words[1])
    finally:
        process.kill()
        process.wait()


class _Reader:
    """Reads all streams in one thread, and counts."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self.events = self._bytes = 0
        self._began = time.monotonic()
        self._many = len(sockets)
        self._over = threading.Event()
        self._watched = selectors.DefaultSelector()
        for one in sockets:
            self._watched.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def rate_kb(self) -> float:
        """kB a second for each viewer."""
        return round(self._bytes / (time.monotonic() - self._began) / self._many / 1000, 2)

    def close(self) -> None:
        """Stop reading."""
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.is_set():
            for key, _ in self._watched.select(0.2):
                data = key.fileobj.recv(262_144)  # type: ignore[union-attr]
                self._bytes += len(data)
                self.events += data.count(b"event: pieces")


@contextmanager
def _viewers(server: Server, many: int) -> Iterator[_Reader]:
    """They follow the page, as browsers that have loaded it do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, many + 200)), hard))
    headers = {"Cookie": f"{COOKIE}={server.secret}", "Accept-Encoding": "gzip"}
    with ExitStack() as opened:
        sockets = []
        address = f"http://127.0.0.1:{server.port}/"
        page = urllib.request.Request(address, headers=headers)
        with urllib.request.urlopen(page, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            mark = _mark(answer.read())
        for _ in range(many):
            one = opened.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            sent = f"GET /events?mark={mark} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {headers['Cookie']}\r\n\r\n"
            one.sendall(sent.encode())
            sockets.append(one)
        reader = _Reader(sockets)
        try:
            yield reader
        finally:
            reader.close()


def _mark(body: bytes) -> str:
    import gzip

    html = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()
    return html.partition('data-mark="')[2].partition('"')[0]


def _rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
