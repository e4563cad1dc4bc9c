"""What the spawn page shows at a moment, for its template and for its script: pure."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from mlinfn_condor.hub.page.choice import NO_DEVICE, Choice
from mlinfn_condor.hub.page.inventory import Inventory
from mlinfn_condor.hub.page.limits import Held, Limits, allowance, hours, refusal
from mlinfn_condor.hub.page.offers import NOTHING, Offer, Offers, Shape, offers
from mlinfn_condor.hub.page.outlook import SILENT, Outlook, Start, ask_for, outlook
from mlinfn_condor.submission.phrases import plural
from mlinfn_condor.submission.requests import Devices
from mlinfn_condor.submission.snapshot import Snapshot

PARTS = (
    ("free", "free"),
    ("reclaimable", "batch or Dask, gives way"),
    ("sessions", "in sessions"),
    ("offline", "offline"),
)
"""The counts of a model, and how they are said."""


NAMELESS = Outlook(Start.CANNOT, "No job can ask for a model of this name.")


@dataclass(frozen=True)
class Part:
    """One of a model's counts."""

    name: str
    words: str
    count: int


@dataclass(frozen=True)
class Card:
    """One thing to choose: a device model, or none."""

    value: str
    title: str
    kind: str
    parts: tuple[Part, ...]
    total: int
    start: str
    """When a session with one of it starts, as a word."""
    brief: str
    """The same for people."""
    most: int
    """Devices that one session may have."""
    cpus: int
    memory_gb: float
    max_cpus: int
    max_memory_gb: float
    """For each device."""


@dataclass(frozen=True)
class Board:
    """What is the same for everybody who looks at the page."""

    snapshot: Snapshot | None
    inventory: Inventory
    offers: Offers
    cards: tuple[Card, ...]
    owners_displace_sessions: bool = False

    def foretell(self, choice: Choice, project: str) -> Outlook:
        """What happens if this is asked for now."""
        ask = ask_for(choice.devices, choice.cpus, choice.memory_mb)
        return outlook(self.snapshot, self.inventory, ask, project, self.owners_displace_sessions)


@dataclass(frozen=True)
class Said:
    """What the page says to one person about one choice."""

    start: str
    sentence: str
    refusal: str
    """Why the person may not have it; empty: nothing is in the way."""
    allowance: str


def board(
    snapshot: Snapshot | None, inventory: Inventory, limits: Limits, owners_displace_sessions: bool = False
) -> Board:
    """The cards of a moment. A pool that does not answer has none but `no accelerator`."""
    there = NOTHING
    if snapshot is not None:
        there = offers(snapshot, inventory, limits.cpus_per_session, limits.memory_mb_per_session)

    def foretold(devices: Devices) -> Outlook:
        shape = there.shape(devices)
        return outlook(snapshot, inventory, ask_for(devices, shape.cpus, shape.memory_mb))

    cards = (_bare_card(there, foretold), *(_card(offer, there, limits, foretold) for offer in there.models))
    return Board(snapshot, inventory, there, cards, owners_displace_sessions)


def said(board: Board, choice: Choice, user: str, project: str, held: tuple[Held, ...], limits: Limits) -> Said:
    """Outlook and limits for a choice; `held` is everybody's, without the server that is being chosen for."""
    found = board.foretell(choice, project)
    refused = refusal(choice, user, project, held, limits)
    return Said(found.start.value, found.sentence, refused or "", told_limits(user, project, held, limits))


def told_limits(user: str, project: str, held: tuple[Held, ...], limits: Limits) -> str:
    """`You have 1 of 3 sessions and 0 of 2 devices. A session ends after 24 hours.`"""
    ends = hours(user, project, limits)
    words = "" if ends is None else f" A session ends after {ends:g} hours."
    return allowance(user, held, limits) + words


def _bare_card(there: Offers, foretold: Callable[[Devices], Outlook]) -> Card:
    shape = there.shape(Devices())
    return _filled(NO_DEVICE, "No accelerator", "CPU", (), 0, foretold(Devices()), 0, shape)


def _card(offer: Offer, there: Offers, limits: Limits, foretold: Callable[[Devices], Outlook]) -> Card:
    parts = tuple(Part(name, words, getattr(offer, name)) for name, words in PARTS)
    most = max(1, min(offer.most_together, limits.devices_per_session))
    value = f"{offer.kind.value}:{offer.model}"
    try:
        one = Devices(count=1, kind=offer.kind, model=offer.model)
    except ValidationError:  # one node's odd description must not take the page from everybody
        return _filled(value, offer.label, offer.kind.word, parts, offer.total, NAMELESS, most, offer.shape)
    return _filled(value, offer.label, offer.kind.word, parts, offer.total, foretold(one), most, there.shape(one))


def _filled(
    value: str, title: str, kind: str, parts: tuple[Part, ...], total: int, found: Outlook, most: int, shape: Shape
) -> Card:
    return Card(
        value=value,
        title=title,
        kind=kind,
        parts=parts,
        total=total,
        start=found.start.value,
        brief=_brief(found),
        most=most,
        cpus=shape.cpus,
        memory_gb=_gigabytes(shape.memory_mb),
        max_cpus=shape.max_cpus,
        max_memory_gb=_gigabytes(shape.max_memory_mb),
    )


def _gigabytes(megabytes: int) -> float:
    """Rounded down to a tenth: what the page offers must be had."""
    return megabytes * 10 // 1024 / 10


def _brief(found: Outlook) -> str:
    if found.start is Start.DISPLACES and found.within_seconds is not None:
        return f"Starts at once, device within {found.within_seconds} s"
    if found.start is Start.WAITS and found.node_comes:
        return "Waits for a node that is added"
    if found.start is Start.WAITS and found.ahead:
        return f"Waits, {plural(found.ahead, 'session')} ahead"
    return BRIEF[found.start]


BRIEF = {
    Start.AT_ONCE: "Starts at once",
    Start.DISPLACES: "Starts at once, others give way",
    Start.WAITS: "Waits, no bound",
    Start.CANNOT: "Not to be had now",
    Start.UNKNOWN: SILENT.sentence.partition(",")[0],
}
