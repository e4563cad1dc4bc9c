"""Glideins as an administrator wants to see them: pure, from one look."""

from collections import Counter
from dataclasses import dataclass

from mlinfn_condor.provisioning.backoff import WORDS
from mlinfn_condor.provisioning.nodes import Glidein, Phase
from mlinfn_condor.provisioning.snapshot import Snapshot
from mlinfn_condor.submission.phrases import span


@dataclass(frozen=True)
class Row:
    """One glidein."""

    name: str
    kind: str
    state: str
    """`asked`, `starting`, `idle`, `busy`, `draining`, `leaving`, `ended` or `failed`."""
    since: str
    """For how long it exists."""
    jobs: int
    told: str
    """What is to be known beside."""


def roster(snapshot: Snapshot) -> list[Row]:
    """All of them, by name."""
    here = {slot.node for slot in snapshot.slots}
    jobs = Counter(slot.node for slot in snapshot.slots if slot.claimed)
    rows = []
    for one in sorted(snapshot.glideins, key=lambda one: (one.kind, len(one.name), one.name)):
        state = _state(one, one.name in here, jobs[one.name], one.name in snapshot.retiring)
        rows.append(Row(one.name, one.kind, state, span(snapshot.now - one.since), jobs[one.name], _told(one)))
    return rows


def _state(one: Glidein, here: bool, jobs: int, draining: bool) -> str:
    if one.phase is not Phase.RUNNING and not (one.phase is Phase.ASKED and here):
        return one.phase.value
    if not here:
        return "starting"
    if draining:
        return "draining"
    return "busy" if jobs else "idle"


def _told(one: Glidein) -> str:
    words = [WORDS[one.trouble]] if one.trouble else []
    words += [one.detail] if one.detail else []
    words += ["kept warm"] if one.warm else []
    return "; ".join(words)
