"""Jupyter server extension: reports the session's work to its folder, and shows the hub's notices.

The session has to run under `mlinfn_condor.session.server`, which gives it its folder; elsewhere nothing happens.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from jupyter_server.serverapp import ServerApp

from mlinfn_condor.session import activity, cpu_activity, device_activity, exchange, notices
from mlinfn_condor.session.job import Job
from mlinfn_condor.session.notice_pages import handlers
from mlinfn_condor.session.notices import Notice
from mlinfn_condor.session.parts import kernels_of, show_in_terminals, terminals_of
from mlinfn_condor.session.reporting import Reporter

REPORT_SECONDS = 30.0
"""Between two reports. A look costs a few milliseconds; the hub calls reports older than some of these unknown.
`MLINFN_ACTIVITY_SECONDS` overrides it."""
NOTICE_SECONDS = 5.0
"""Between two looks for a notice: one open of one file."""

Result = TypeVar("Result")


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    folder = getattr(server, "session_folder", None)
    if folder is None:
        server.log.info("no folder of a session: its work is not reported")
        return
    watch = SessionWatch(server, folder.path, os.environ)
    pages = handlers(server.web_app.settings["base_url"], watch)
    server.web_app.add_handlers(".*$", pages)  # type: ignore[no-untyped-call]
    server.io_loop.add_callback(watch.run)


class SessionWatch:
    """The loop of one session. What may hang, the driver or the home, runs beside the server's own loop."""

    def __init__(self, server: ServerApp, folder: Path, environment: Mapping[str, str]) -> None:
        self._server, self._folder = server, folder
        self._interval = float(environment.get("MLINFN_ACTIVITY_SECONDS", REPORT_SECONDS))
        devices = Job.around(environment).devices
        self._reporter = Reporter(time.time(), [device.id for device in devices], self._interval)
        self._meter = cpu_activity.meter(environment, os.getpid())
        self._device_watch = device_activity.watch(devices)
        self._wanted = asyncio.Event()
        self._shown: dict[str, Notice] = {}
        self.notice: Notice | None = None
        """What stands, as of the last look."""

    async def run(self) -> None:
        """Report and look for notices until the server ends."""
        # What lies there was for the session before.
        with contextlib.suppress(OSError):
            await _beside(lambda: exchange.remove(self._folder, notices.FILE))
        await asyncio.gather(self._report_for_ever(), self._show_for_ever())

    def person_acts(self) -> None:
        """Somebody types or clicks in the page."""
        self._reporter.person_acts(time.time())

    async def keep(self) -> None:
        """Somebody asks to keep the session: tell the hub at once, and take the notice back if that is enough."""
        self.person_acts()
        self._wanted.set()
        await self._look_for_notice()
        if self.notice is not None and self.notice.can_be_kept:
            await _beside(lambda: exchange.remove(self._folder, notices.FILE))
            await self._look_for_notice()

    async def _report_for_ever(self) -> None:
        failed = False
        while True:
            self._wanted.clear()
            try:
                await self._report()
                failed = False
            except OSError as error:
                if not failed:
                    self._server.log.warning("the session's work cannot be reported: %s", error)
                failed = True
            try:
                await asyncio.wait_for(self._wanted.wait(), self._interval)
            except TimeoutError:
                continue

    async def _report(self) -> None:
        await _beside(self._measure)
        kernels = kernels_of(self._server.kernel_manager)
        terminals = terminals_of(self._terminal_manager)
        report = self._reporter.report(time.time(), kernels, terminals).as_json()
        await _beside(lambda: exchange.write(self._folder, activity.FILE, report))

    def _measure(self) -> None:
        now = time.time()
        if self._reporter.due(now):
            usage = self._meter.look()
            sample = self._device_watch.look(usage.pids) if self._device_watch is not None else None
            self._reporter.add(now, usage, sample)

    async def _show_for_ever(self) -> None:
        while True:
            await self._look_for_notice()
            await asyncio.sleep(NOTICE_SECONDS)

    async def _look_for_notice(self) -> None:
        self.notice = notices.read(await _beside(lambda: exchange.read(self._folder, notices.FILE)))
        self._shown = show_in_terminals(self._terminal_manager, self.notice, self._shown)

    @property
    def _terminal_manager(self) -> Any:
        return self._server.web_app.settings.get("terminal_manager")


async def _beside(work: Callable[[], Result]) -> Result:
    """Run in a thread that the end of the server does not wait for, as it would for asyncio's own."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def thread() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=thread, daemon=True, name="session-watch").start()
    return await done
