"""Nodes that a site keeps though nobody asks for them."""

from collections.abc import Iterable

from mlinfn_condor.provisioning.allowance import Allowance
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.serving import Serving
from mlinfn_condor.provisioning.snapshot import Life, Standing


def keep_warm(kinds: Iterable[NodeKind], glideins: list[Standing], allowance: Allowance, serving: Serving) -> set[str]:
    """See to it that each kind has its `least`; the names of the glideins that count for it, and do not leave."""
    kept: set[str] = set()
    for kind in kinds:
        mine = [one for one in glideins if one.alive and one.glidein.warm and one.glidein.kind == kind.name]
        # One that drains counts last, and is told to stay.
        chosen = sorted(mine, key=lambda one: one.life is Life.LEAVING)[: kind.least]
        for one in chosen:
            if one.life is Life.LEAVING:
                serving.keep_on(one.glidein.name, f"the site keeps {kind.least} of {kind.name} warm")
        kept.update(one.glidein.name for one in chosen)
        missing = min(kind.least - len(chosen), allowance.more(kind)[0])
        if missing > 0:
            serving.start(kind, missing, f"the site keeps {kind.least} of {kind.name} warm", warm=True)
    return kept
