"""Where the jobs of a submit stand, from what happens to them: pure."""

import re
from collections import Counter
from collections.abc import Sequence

from mlinfn_condor.errors import JobHeld
from mlinfn_condor.pool import Happening, JobId, JobState
from mlinfn_condor.submission.phrases import plural

REMOVED_CODE = 1
"""Exit code of a watch over a job that somebody removed."""

_STEP = re.compile(r"\b(?:epoch|step|batch|iteration)\s+(?P<done>\d+)\s*(?:of|/)\s*(?P<total>\d+)", re.IGNORECASE)


class Watch:
    """The jobs of one or more submits. Invariant: `done` never falls, and `over` is true when no job can change."""

    def __init__(self, jobs: int | None = None) -> None:
        """`jobs`: how many there are, where that is known; else those that were heard of."""
        self._jobs = jobs
        self._states: dict[JobId, JobState] = {}
        self._codes: dict[JobId, int] = {}
        self._displaced = 0

    def learn(self, happenings: Sequence[Happening]) -> None:
        """Take in what happened. Raises JobHeld, with the reason and the cure, when it leaves a job on hold."""
        for one in happenings:
            self._states[one.job] = one.state
            self._displaced += one.displaced
            if one.state is JobState.COMPLETED:
                self._codes[one.job] = one.exit_code or 0
            if one.state is JobState.REMOVED:
                self._codes[one.job] = REMOVED_CODE
        for one in happenings:
            if one.state is self._states[one.job] is JobState.HELD:
                raise JobHeld(_held(one))

    @property
    def jobs(self) -> int:
        """How many there are."""
        return len(self._states) if self._jobs is None else self._jobs

    @property
    def done(self) -> int:
        """How many have ended, whichever way."""
        return len(self._codes)

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return 0 < self.jobs <= self.done

    @property
    def exit_code(self) -> int:
        """That of the job; of many: 0 if it is so for all, else the first other one in the order of the jobs."""
        return next((code for _, code in sorted(self._codes.items()) if code), 0)

    @property
    def sentence(self) -> str:
        """`running`, or with many jobs `3 of 10 done, 2 running, 5 idle; displaced 4 times`."""
        times = f"; displaced {plural(self._displaced, 'time')}" if self._displaced else ""
        counts = Counter(self._states.values())
        if self.jobs == 1:
            return f"{next(iter(counts), JobState.IDLE).value}{times}"
        failed = sum(code != 0 for code in self._codes.values())
        words = [f"{self.done} of {self.jobs} done" + (f" ({failed} failed)" if failed else "")]
        words += [f"{counts[state]} {state.value}" for state in JobState if not state.final and counts[state]]
        return ", ".join(words) + times


def _held(one: Happening) -> str:
    job, reason = one.job, (one.reason or "no reason given").rstrip(".")
    release = f"`condor_release -name {job.access_point} {job.local}`"
    return (
        f"{job} is on hold: {reason}. {release} lets it go on when the cause is gone, `mlinfn watch {job}` watches on"
    )


def steps(output: str) -> tuple[int, int] | None:
    """How far a training says it is: the last `epoch 3 of 20` or `step 3/20` of its output. None: it says nothing."""
    told = list(_STEP.finditer(output))
    return (int(told[-1]["done"]), int(told[-1]["total"])) if told else None
