"""One look after another at all sessions: read each report, decide, write or take back the warning, act.

It keeps nothing that it could not lose: reports tell since when, warnings lie in the sessions' folders, restarts that
were begun in the hub's. What it remembers of warnings only keeps them in force when somebody removes the file.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from mlinfn_condor.hub.culling.account_end import EndOf, or_account_end
from mlinfn_condor.hub.culling.decision import Act, Decision, Evidence, Keep, Warn, decide
from mlinfn_condor.hub.culling.restarts import Restart, Restarts
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.hub.hub_api import HubUnavailable, Session
from mlinfn_condor.session import activity, exchange, notices
from mlinfn_condor.session.notices import Notice

log = logging.getLogger("mlinfn.culling")

STOP_SECONDS = 180.0
"""How long a session may take to stop, and the hub to take the order to start it, before the restart is given up."""
STOP_LOOK_SECONDS = 2.0
"""Between two tries."""

Key = tuple[str, str]
HoursOf = Callable[[str, Mapping[str, Any]], float | None]
"""User and options of a session → how many hours it may last."""


class Hub(Protocol):
    """What the culler needs of a hub; each call raises HubUnavailable."""

    def sessions(self) -> list[Session]:
        """Servers that are up; not those that start or stop just now."""

    def stop(self, session: Session) -> None:
        """Ask the hub to stop it; it may take until later."""

    def is_gone(self, session: Session) -> bool:
        """Whether the hub is done with it, so that another can start under its name."""

    def start(self, session: Session, options: Mapping[str, Any]) -> None:
        """Ask the hub to start a server under the same name."""


class Culler:
    """The culler of one hub. Every session is dealt with on its own: a home that hangs delays nobody else."""

    def __init__(
        self,
        hub: Hub,
        rules: Rules,
        restarts: Restarts,
        longest_hours: HoursOf = lambda user, options: None,
        account_end: EndOf = lambda user: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._hub, self._rules, self._longest_hours, self._now = hub, rules, longest_hours, now
        self._account_end = account_end
        self._restarts = restarts
        self._unfinished = restarts.begun()
        self._given: dict[Key, Notice] = {}
        self._said: dict[Key, str] = {}
        self._busy: dict[Key, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look until cancelled; a hub that is down is asked again at the next look."""
        hub_answers = True
        while True:
            try:
                await self.look()
                hub_answers = True
            except HubUnavailable as error:
                if hub_answers:
                    log.warning("hub_unavailable why=%s", error)
                hub_answers = False
            await asyncio.sleep(self._rules.look_seconds)

    async def look(self) -> None:
        """One look. Sessions with which the last one is not done yet are left to it."""
        sessions = await asyncio.to_thread(self._hub.sessions)
        present = {session.key for session in sessions}
        for key in (self._given.keys() | self._said.keys()) - present - self._busy.keys():
            self._given.pop(key, None)
            self._said.pop(key, None)
        self._finish_restarts(present)
        for session in sessions:
            if session.key not in self._busy:
                self._begin(session.key, self._deal_with(session))
        # Long enough for all that only read; a session that stops goes on in the background.
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=self._rules.look_seconds / 2)

    def _finish_restarts(self, present: Collection[Key]) -> None:
        """What is there was never stopped, or somebody was quicker; the rest is started again."""
        unfinished, self._unfinished = self._unfinished, []
        for restart in unfinished:
            if restart.key in present or restart.lapsed(self._now()):
                self._restarts.forget(restart.key)
            elif restart.key in self._busy:
                self._unfinished.append(restart)
            else:
                self._begin(restart.key, self._finish(restart))

    async def _finish(self, restart: Restart) -> None:
        try:
            await self._start_again(restart)
        except HubUnavailable as error:
            log.warning("not_done user=%s server=%s why=%s", restart.user, restart.server, error)

    def _begin(self, key: Key, work: Coroutine[None, None, None]) -> None:
        task = self._busy[key] = asyncio.create_task(work)
        task.add_done_callback(partial(self._done, key))

    def _done(self, key: Key, task: asyncio.Task[None]) -> None:
        self._busy.pop(key, None)
        # A mistake of ours in dealing with one session must not keep the others from their due, nor stay unheard.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("failed user=%s server=%s", *key, exc_info=error)

    async def settle(self) -> None:
        """Wait until nothing goes on in the background."""
        while self._busy:
            await asyncio.wait(list(self._busy.values()))
            await asyncio.sleep(0)

    async def _deal_with(self, session: Session) -> None:
        folder = folder_of(session)
        try:
            decision = self._decide(session, await asyncio.to_thread(self._evidence, session, folder))
            self._say(session, decision)
            restart = self._restart_of(session, decision)
            if isinstance(decision, Act):
                # The warning stays until the hub took the order: if it is down, the next look acts.
                await self._stop(session, restart)
            if folder is not None:
                await asyncio.to_thread(self._tell, session, folder, decision)
            if restart is not None:
                await self._start_again(restart)
        except HubUnavailable as error:
            log.warning("not_done user=%s server=%s why=%s", session.user, session.server, error)
        except OSError as error:
            # The warning did not arrive; so it does not count, and nothing will be done without one.
            self._given.pop(session.key, None)
            log.warning("notice_not_written user=%s server=%s why=%s", session.user, session.server, error)

    def _decide(self, session: Session, evidence: Evidence) -> Decision:
        now = self._now()
        decision = decide(evidence, self._rules, now)
        return or_account_end(decision, evidence, self._account_end(session.user), self._rules, now)

    def _evidence(self, session: Session, folder: Path | None) -> Evidence:
        report = activity.read(exchange.read(folder, activity.FILE)) if folder is not None else None
        lying = notices.read(exchange.read(folder, notices.FILE)) if folder is not None else None
        options = options_of(session)
        return Evidence(
            activity=report,
            notice=self._given.get(session.key) or lying,
            has_device=_count(options) > 0 or bool(report and report.devices.ids),
            started=session.started,
            longest_hours=self._longest_hours(session.user, options),
        )

    def _tell(self, session: Session, folder: Path, decision: Decision) -> None:
        if isinstance(decision, Warn):
            self._given[session.key] = decision.notice
            if notices.read(exchange.read(folder, notices.FILE)) != decision.notice:
                exchange.write(folder, notices.FILE, decision.notice.as_json())
        elif isinstance(decision, Act) or not decision.unknown:
            self._given.pop(session.key, None)
            exchange.remove(folder, notices.FILE)

    def _restart_of(self, session: Session, decision: Decision) -> Restart | None:
        if not isinstance(decision, Act) or decision.deed != "restart-without-device":
            return None
        return Restart(session.user, session.server, without_device(options_of(session)), self._now())

    async def _stop(self, session: Session, restart: Restart | None) -> None:
        if restart is not None:
            self._restarts.begin(restart)
        try:
            await asyncio.to_thread(self._hub.stop, session)
        except HubUnavailable:
            # It may have been done all the same: the next look tells whether there is something to start.
            if restart is not None:
                self._unfinished.append(restart)
            raise

    async def _start_again(self, restart: Restart) -> None:
        """The hub may stop it slowly, or refuse starts for a moment because many come at once."""
        session = Session(restart.user, restart.server, None, {}, restart.options)
        deadline = time.monotonic() + STOP_SECONDS
        stays = HubUnavailable(f"it did not stop within {STOP_SECONDS:.0f} s; it is not started again")
        refused = stays
        while time.monotonic() < deadline:
            try:
                if await asyncio.to_thread(self._hub.is_gone, session):
                    await asyncio.to_thread(self._hub.start, session, restart.options)
                    self._restarts.forget(restart.key)
                    log.info("restarted_without_device user=%s server=%s", session.user, session.server)
                    return
            except HubUnavailable as error:
                refused = error
            await asyncio.sleep(STOP_LOOK_SECONDS)
        if refused is stays:
            self._restarts.forget(restart.key)
        else:
            self._unfinished.append(restart)
        raise refused

    def _say(self, session: Session, decision: Decision) -> None:
        """One line for each decision, at its change."""
        match decision:
            case Keep(why, unknown):
                kind, changing = "unknown" if unknown else "keep", ""
            case Warn(notice):
                kind, why, changing = "warn", f"{notice.deed}: {notice.why}", f"{notice.deadline:.0f}"
            case Act(deed, why):
                kind, changing = deed, why
        if self._said.get(session.key) != kind + changing:
            self._said[session.key] = kind + changing
            log.info("decision user=%s server=%s decision=%s why=%s", session.user, session.server, kind, why)


def folder_of(session: Session) -> Path | None:
    """The session's folder, as its spawner told the hub."""
    told = session.state.get("folder")
    return Path(told) if isinstance(told, str) and told.startswith("/") else None


def options_of(session: Session) -> Mapping[str, Any]:
    """What the session was started with: as its spawner understood it, else as the user asked."""
    told = session.state.get("options")
    return told if isinstance(told, Mapping) else session.options


def without_device(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same session on cores and memory alone."""
    return {**options, "model": None, "count": 0}


def _count(options: Mapping[str, Any]) -> int:
    told = options.get("count")
    return told if isinstance(told, int) else 0
