"""How a glidein ends, decided apart from doing it: pure, from what happened to which signal and which exit code.

Invariants: once it is told why it ends, nothing but its startd's end changes that; a startd that was told to end gets
sharper signals as its time runs out, never softer ones; however it ends, it ends within its grace.
"""

import signal
from dataclasses import dataclass, replace

from mlinfn_condor.glidein.outcome import Exit

NO_RESTART = 99
"""Exit code with which HTCondor's daemons tell their parent that they meant to end: a startd that was drained."""

IDLE = "nobody claimed it for its idle time"
"""Why a startd ends by itself and well. HTCondor has it tell its master to end; it knows none, and so tells itself."""


@dataclass(frozen=True)
class Times:
    """Seconds that a glidein has for what."""

    join: float
    """From its start until the collector has to have taken it."""
    grace: float
    """From the word to end until whoever said it ends it by force."""
    goodbye: float
    """Of the grace, what daemons and clearing up need after the last job."""


@dataclass(frozen=True)
class Course:
    """Where a glidein is in its life. Times are seconds of one clock that is never set."""

    began: float
    times: Times
    joined: bool = False
    ending: Exit | None = None
    """Why it ends; None: it does not."""
    why: str = ""
    since: float = 0.0
    """When it was told to end."""
    sent: signal.Signals | None = None
    """The sharpest signal that its startd got."""

    def told(self, code: Exit, why: str, now: float) -> "Course":
        """It has to end; a second word changes nothing."""
        return self if self.ending is not None else replace(self, ending=code, why=why, since=now)

    def taken(self) -> "Course":
        """The collector knows it."""
        return replace(self, joined=True)

    def signalled(self, number: signal.Signals) -> "Course":
        """Its startd got this signal."""
        return replace(self, sent=number)

    def due(self, now: float) -> signal.Signals | None:
        """The signal that its startd should get now, None when it has it already.

        SIGTERM: jobs have their windows. SIGQUIT: jobs are killed, their access points told. SIGKILL: it hangs.
        """
        if self.ending is None:
            return None
        if self.ending is Exit.JOIN:
            steps = [(0.0, signal.SIGQUIT), (self.times.goodbye, signal.SIGKILL)]
        else:
            soft = max(0.0, self.times.grace - self.times.goodbye)
            steps = [(0.0, signal.SIGTERM), (soft, signal.SIGQUIT), (soft + self.times.goodbye / 2, signal.SIGKILL)]
        sharpest = [number for after, number in steps if now >= self.since + after][-1]
        return None if sharpest is self.sent else sharpest

    def checked(self, now: float, word: str) -> "Course":
        """The same, or its end because the collector did not take it in time; `word`: what it said last."""
        if self.joined or now < self.began + self.times.join:
            return self
        return self.told(Exit.JOIN, f"the collector did not take it within {self.times.join:.0f} s: {word}", now)

    def outcome(self, code: int, last_log: str) -> tuple[Exit, str]:
        """Exit code and words, now that the startd ended with `code` (negative: the signal that killed it)."""
        if self.ending is not None:
            return self.ending, self.why
        if code == NO_RESTART:
            return Exit.RETIRED, "it was drained"
        if code == 0 and self.joined:
            return Exit.IDLE, IDLE
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        if self.joined:
            return Exit.CRASHED, f"the startd {how}: {last_log}"
        return Exit.STARTUP, f"the startd {how} before it joined: {last_log}"
