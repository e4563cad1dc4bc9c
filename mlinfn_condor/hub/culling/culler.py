"""One look after another at all sessions: read each report, decide, write or take back the warning, act.

It keeps nothing that it could not lose: reports tell since when, warnings lie in the sessions' folders. What it
remembers of warnings only keeps them in force when somebody removes the file.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mlinfn_condor.hub.culling.decision import Act, Decision, Evidence, Keep, Warn, decide
from mlinfn_condor.hub.culling.hub_api import Hub, HubUnavailable, Session
from mlinfn_condor.hub.culling.rules import Rules
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


class Culler:
    """The culler of one hub. Every session is dealt with on its own: a home that hangs delays nobody else."""

    def __init__(
        self,
        hub: Hub,
        rules: Rules,
        longest_hours: HoursOf = lambda user, options: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._hub, self._rules, self._longest_hours, self._now = hub, rules, longest_hours, now
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
        for session in sessions:
            if session.key not in self._busy:
                task = self._busy[session.key] = asyncio.create_task(self._deal_with(session))
                task.add_done_callback(partial(self._done, session.key))
        # Long enough for all that only read; a session that stops goes on in the background.
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=self._rules.look_seconds / 2)

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
            decision = decide(await asyncio.to_thread(self._evidence, session, folder), self._rules, self._now())
            self._say(session, decision)
            if isinstance(decision, Act):
                # The warning stays until the hub took the order: if it is down, the next look acts.
                await asyncio.to_thread(self._hub.stop, session)
            if folder is not None:
                await asyncio.to_thread(self._tell, session, folder, decision)
            if isinstance(decision, Act) and decision.deed == "restart-without-device":
                await self._start_again(session)
        except HubUnavailable as error:
            log.warning("not_done user=%s server=%s why=%s", session.user, session.server, error)
        except OSError as error:
            # The warning did not arrive; so it does not count, and nothing will be done without one.
            self._given.pop(session.key, None)
            log.warning("notice_not_written user=%s server=%s why=%s", session.user, session.server, error)

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

    async def _start_again(self, session: Session) -> None:
        """The hub may stop it slowly, or refuse starts for a moment because many come at once."""
        deadline = time.monotonic() + STOP_SECONDS
        refused = HubUnavailable(f"it did not stop within {STOP_SECONDS:.0f} s; it is not started again")
        while time.monotonic() < deadline:
            try:
                if await asyncio.to_thread(self._hub.is_gone, session):
                    await asyncio.to_thread(self._hub.start, session, without_device(options_of(session)))
                    log.info("restarted_without_device user=%s server=%s", session.user, session.server)
                    return
            except HubUnavailable as error:
                refused = error
            await asyncio.sleep(STOP_LOOK_SECONDS)
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
