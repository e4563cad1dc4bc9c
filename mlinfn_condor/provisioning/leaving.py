"""Which glideins are given back: of those that this plan does not count on, and that nobody is on.

Most leave by themselves when they have been idle for their time. What is decided here is what they cannot know.
"""

from collections.abc import Iterable, Iterator, Mapping

from mlinfn_condor.provisioning.actions import Action, Remove, Retire
from mlinfn_condor.provisioning.nodes import NodeKind, Phase
from mlinfn_condor.provisioning.rooms import Node
from mlinfn_condor.provisioning.settings import Settings
from mlinfn_condor.provisioning.snapshot import Life, Snapshot, Standing
from mlinfn_condor.submission.phrases import span


def withdrawn(spare: Iterable[Standing], snapshot: Snapshot, settings: Settings) -> Iterator[Action]:
    """Glideins of which nothing runs yet, and that nobody needs any longer."""
    known = {kind.name for kind in settings.node_kinds}
    for one in spare:
        if one.life is Life.COMING and one.glidein.phase is Phase.ASKED:
            age = snapshot.now - one.glidein.since
            if one.glidein.kind not in known:
                yield Remove(one.glidein.name, f"the settings have no kind {one.glidein.kind}")
            elif age >= settings.intervals.withdraw_seconds:
                yield Remove(one.glidein.name, f"asked for {span(age)} ago, it has not begun, and nobody needs it now")


def released(
    spare: Iterable[Standing], snapshot: Snapshot, settings: Settings, nodes: Mapping[str, Node]
) -> Iterator[Action]:
    """Idle glideins, opportunistic ones first, that have no reason to wait for work."""
    kinds = {kind.name: kind for kind in settings.node_kinds}
    idle = [one for one in spare if one.life is Life.HERE and not _worked_on(one, snapshot, nodes)]
    for one in sorted(idle, key=lambda one: one.glidein.kind in kinds and kinds[one.glidein.kind].pledged):
        if reason := _why(one, kinds.get(one.glidein.kind), snapshot, settings):
            yield Retire(one.glidein.name, reason)


def _worked_on(one: Standing, snapshot: Snapshot, nodes: Mapping[str, Node]) -> bool:
    return nodes[one.glidein.name].busy or one.glidein.name in snapshot.working


def _why(one: Standing, kind: NodeKind | None, snapshot: Snapshot, settings: Settings) -> str | None:
    if kind is None:
        return f"the settings have no kind {one.glidein.kind}"
    if one.glidein.warm:
        return f"the site keeps only {kind.least} of {kind.name} warm"
    idle_since = snapshot.idle_since.get(one.glidein.name)
    idle = 0 if idle_since is None else snapshot.now - idle_since
    if not kind.pledged and idle_since is not None and idle >= settings.intervals.opportunistic_idle_seconds:
        return f"it is opportunistic, and nobody has been on it for {span(idle)}"
    return None
