"""How many nodes the site still allows: pure. What exists counts in any phase: a failed pod may still hold quota."""

from collections import Counter
from collections.abc import Iterable, Mapping

from mlinfn_condor.provisioning.backoff import Setback
from mlinfn_condor.provisioning.nodes import Glidein, NodeKind
from mlinfn_condor.provisioning.settings import Limits
from mlinfn_condor.submission.phrases import plural


class Allowance:
    """What is left of each cap; `take` uses it up."""

    def __init__(
        self,
        kinds: Iterable[NodeKind],
        limits: Limits,
        glideins: Iterable[Glidein],
        setbacks: Mapping[str, Setback],
        starting: Counter[str],
        now: float,
    ) -> None:
        """`starting`: glideins by kind that have not joined yet."""
        self._limits = limits
        self._setbacks = setbacks
        self._starting = Counter(starting)
        self._now = now
        self._used: Counter[tuple[str, str]] = Counter()
        by_name = {kind.name: kind for kind in kinds}
        for glidein in glideins:
            # One of a kind that the settings have no longer counts as a glidein, and nobody knows as what else.
            self._count(by_name.get(glidein.kind) or NodeKind(glidein.kind, 0, 0), 1)

    def more(self, kind: NodeKind) -> tuple[int, str]:
        """How many more of the kind may be asked for now, and the words for what ends it there."""
        room, reason = self.ever(kind)
        setback = self._setbacks.get(kind.name)
        trials = [(self._limits.starts - self._starting.total(), "as many nodes as may start at once are starting")]
        if setback:
            trials.append((1 - self._starting[kind.name], setback.words(self._now)))
        return min(((max(0, left), words) for left, words in ((room, reason), *trials)), key=lambda one: one[0])

    def ever(self, kind: NodeKind) -> tuple[int, str]:
        """The same without patience for what is starting: 0 when the kind cannot grow, by its caps or its failures."""
        setback = self._setbacks.get(kind.name)
        if setback and setback.until > self._now:
            return 0, setback.words(self._now)
        return min(((max(0, left), words) for left, words in self._caps(kind)), key=lambda one: one[0])

    def take(self, kind: NodeKind, count: int) -> None:
        """So many more are asked for."""
        self._count(kind, count)
        self._starting[kind.name] += count

    def _caps(self, kind: NodeKind) -> list[tuple[int, str]]:
        """What each cap leaves for this kind, and its words."""
        limits, used = self._limits, self._used
        caps = [(kind.most - used["kind", kind.name], f"the site has at most {kind.most} of it")]
        totals = (
            ("glideins", limits.glideins, 1, "the site has at most {} nodes"),
            ("cpus", limits.cpus, kind.cpus, "the quota is {} cores"),
            ("memory_mb", limits.memory_mb, kind.memory_mb, "the quota is {} MB of memory"),
        )
        for name, most, each, words in totals:
            if most is not None:
                caps.append(((most - used["all", name]) // each, words.format(most)))
        if kind.devices and kind.model in limits.devices:
            most = limits.devices[kind.model]
            left = (most - used["devices", kind.model]) // kind.devices
            caps.append((left, f"the site has at most {most} {kind.model}"))
        if kind.owner_project in limits.owners:
            most = limits.owners[kind.owner_project]
            left = most - used["owner", kind.owner_project]
            caps.append((left, f"{kind.owner_project} has at most {plural(most, 'node')}"))
        return caps

    def _count(self, kind: NodeKind, count: int) -> None:
        self._used["kind", kind.name] += count
        self._used["all", "glideins"] += count
        self._used["all", "cpus"] += count * kind.cpus
        self._used["all", "memory_mb"] += count * kind.memory_mb
        self._used["devices", kind.model] += count * kind.devices
        self._used["owner", kind.owner_project] += count
