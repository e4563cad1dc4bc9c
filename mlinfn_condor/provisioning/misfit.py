"""Why no kind of node that the site may ask for could ever serve a request, in words: pure."""

from collections.abc import Mapping

from mlinfn_condor.provisioning.bins import Bare, Devices, Load
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.rooms import Room, lane_of
from mlinfn_condor.submission.asks import Ask
from mlinfn_condor.submission.phrases import listed, plural


def misfit(ask: Ask, load: Load, kinds: Mapping[NodeKind, Room]) -> str:
    """The first thing that all kinds lack, with the most that one of them has."""
    bins = [room[lane_of(load)] for room in kinds.values() if lane_of(load) in room]
    if not load.wants:
        bare = [one for one in bins if isinstance(one, Bare)]
        most = [(one.cpus, one.memory_mb) for one in bare]
        return _too_large(ask, most, "a slot without devices has on any kind of node")
    if len(load.wants) > 1:
        return f"no kind of node has {listed(want.words for want in ask.wants)}: ask for one kind of device"
    ((count, models),) = load.wants
    suiting = [one for one in bins if isinstance(one, Devices) and any(share.model in models for share in one.shares)]
    if not suiting:
        return f"no kind of node has {ask.wants[0].words}"
    equipped = [one for one in suiting if one.size >= count]
    if not equipped:
        return f"asks {ask.wants[0].words}, but nodes have at most {max(one.size for one in suiting)} together"
    most = [(count * one.cpus, count * one.memory_mb) for one in equipped]
    return _too_large(ask, most, f"belong to {plural(count, 'device')} on any kind of node")


def _too_large(ask: Ask, most: list[tuple[int, int]], where: str) -> str:
    if not any(ask.cpus <= cpus for cpus, _ in most):
        return f"asks more cores ({ask.cpus}) than {where}: at most {max((cpus for cpus, _ in most), default=0)}"
    limit = max(memory for cpus, memory in most if ask.cpus <= cpus)
    return f"asks more memory ({ask.memory_mb} MB) than {where}: at most {limit} MB"
