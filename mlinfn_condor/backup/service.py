"""Backups by the clock: looks once a minute what is due, and says it when one is late."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from mlinfn_condor.backup import record
from mlinfn_condor.backup.running import Room
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.errors import MlinfnError

LOOK_SECONDS = 60.0


@dataclass(frozen=True)
class Acts:
    """What can be done; each raises MlinfnError, and writes down how it ended."""

    settings: Callable[[], tuple[BackupSettings, Room]]
    run: Callable[[], object]
    verify: Callable[[], object]


class Service:
    """Until SIGTERM. What goes wrong is said once and tried again."""

    def __init__(
        self, acts: Acts,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201
    ) -> None:  # fmt: skip
        self._acts, self._say = acts, say
        self._over = threading.Event()
        self._said: set[str] = set()

    def serve(self) -> None:
        """Look, act, wait."""

        def end(_number: int, _frame: FrameType | None) -> None:
            self._over.set()
            # A run that is under way is left: restic hears of it and takes its locks away.
            raise SystemExit(0)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        while not self._over.is_set():
            self.turn(time.time())
            self._over.wait(LOOK_SECONDS)

    def turn(self, now: float) -> None:
        """What is due at this moment."""
        told: set[str] = set()
        try:
            settings, room = self._acts.settings()
        except MlinfnError as error:
            self._tell({str(error)})
            return
        before = record.read(room.record)
        if not room.record.exists():
            record.write(room.record, before)  # From now on it can be late.
        try:
            match record.due(before, settings, now):
                case "run":
                    self._acts.run()
                case "verify":
                    self._acts.verify()
        except MlinfnError as error:
            told.add(" ".join(str(error).split()))
        judgement = record.judged(record.read(room.record), settings, time.time())
        if judgement.late and not any("is late" in sentence for sentence in self._said):
            record.tell(room.journal, "late", now, sentences=judgement.sentences)
        self._tell(told | set(judgement.sentences))

    def _tell(self, sentences: set[str]) -> None:
        """Each once, until it is no longer true."""
        kinds = {_kind(each): each for each in sorted(sentences)}
        for kind, sentence in kinds.items():
            if kind not in {_kind(each) for each in self._said}:
                self._say(f"backup: {sentence}")
        self._said = sentences


def _kind(sentence: str) -> str:
    """Without what changes every minute."""
    return "".join(c for c in sentence if not c.isdigit())
