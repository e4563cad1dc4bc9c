"""Hand-overs as they happen: pure, from two pictures one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlinfn_condor.submission.devices import Use
from mlinfn_condor.web.picture import Picture, Tile


@dataclass(frozen=True)
class HandOver:
    """A device went from one job to another, or was told to. `at`: epoch seconds of the look that showed it."""

    at: float
    node: str
    model: str
    device: str
    sentence: str


def happened(before: Picture | None, after: Picture) -> Iterator[HandOver]:
    """What changed hands between two looks; with nothing before, nothing has."""
    if before is None:
        return
    was = {(node.name, tile.id): tile for node in before.nodes for tile in node.tiles}
    for node in after.nodes:
        for tile in node.tiles:
            old = was.get((node.name, tile.id))
            if old is not None and (told := _told(old, tile)):
                yield HandOver(after.at, node.name, tile.model, tile.id, told)


def _told(old: Tile, new: Tile) -> str:
    handing = Use.HANDING_OVER.value
    if new.use == handing and old.use != handing:
        comes = f", {new.user} comes" if new.leaving.rpartition(" ")[2] != new.user else ""
        return f"{new.leaving} saves its state and goes{comes}"
    if old.use == handing and new.use not in (handing, old.use):
        return f"free: {old.leaving} has gone" if new.use == Use.FREE.value else f"{new.use} of {new.user} has it"
    if old.job and new.job and old.job != new.job and new.use != handing:
        return f"{new.use} of {new.user} follows {old.use} of {old.user}"
    return ""
