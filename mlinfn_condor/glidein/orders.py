"""What a glidein is told: variables `MLINFN_GLIDEIN_…` of its environment, read once, every mistake in one error.

docs/glidein.md has the table. Times are in `glidein/config.d`: a variable only overrides a number there.
"""

import re
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlinfn_condor.glidein.outcome import Exit, GlideinFailed
from mlinfn_condor.shipped import shipped

PREFIX = "MLINFN_GLIDEIN_"
NUMBERS = ("IDLE_SECONDS", "GRACE_SECONDS", "JOIN_SECONDS", "RESERVE_MB")
"""Numbers of glidein/config.d/00 that a variable may override: whole seconds, whole megabytes."""
KUBERNETES_WORDS = Path("/dev/termination-log")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._@:/-]{0,251}[A-Za-z0-9])?")
_COLLECTOR = re.compile(r"(\[[0-9A-Fa-f:.]+]|[A-Za-z0-9.-]+)(:\d{1,5})?")
_DOMAINS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(,[A-Za-z0-9][A-Za-z0-9.-]*)*")
_USERS = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9][A-Za-z0-9.-]*(,[A-Za-z0-9._-]+@[A-Za-z0-9][A-Za-z0-9.-]*)*")
_DEVICE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*):([1-9]\d{0,2})")
_UNFIT = re.compile(r"[\s\"$,;:'()]")
"""No path with these: HTCondor's configuration splits or expands there."""


@dataclass(frozen=True)
class Orders:
    """One glidein, as it is told to be."""

    name: str
    """Unique in the pool; STARTD_NAME of its startd."""
    kind: str
    collector: str
    """`HOST:PORT` of the collector that it reports to."""
    domain: str
    """UID_DOMAIN of the pool, part of every identity."""
    tokens: Path
    """Folder of the token that it speaks with: a mounted secret, readable by the startd alone."""
    work: Path
    """Folder for everything that it writes; made if missing, emptied at the end."""
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Tells two lives of one name apart: a pod's UID."""
    site: str = ""
    pool: str = ""
    """Name of the pool behind `collector` when somebody else runs it; empty: it is ours."""
    our_domains: str = ""
    """Of such a pool: domains (after the @ of a job's User) whose access points run our policy, with commas between."""
    our_users: str = ""
    """Of such a pool: users of other access points whose jobs are ours, `name@domain`, with commas between."""
    owner_project: str = ""
    node: str = field(default_factory=socket.gethostname)
    """The machine below: Kubernetes' node."""
    pod: str = ""
    address: str = ""
    """IP address that access points reach it at, and the only one it listens on; what HTCondor finds if not given."""
    warm: bool = False
    """It stays though nobody claims it."""
    devices: Mapping[str, int] | None = None
    """Models and numbers it must have; empty: none, whatever is in view; None: what is there."""
    description: Path | None = None
    """A node's description with simulated devices (mlinfn_condor.node.description), instead of what the machine has."""
    policy: Path = field(default_factory=lambda: shipped("condor_config.d"))
    site_config: Path | None = None
    """HTCondor configuration with the pool's own values, read after policy and config.d."""
    htcondor: Path = Path("/usr")
    """Where HTCondor's bin, sbin, lib and libexec are."""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """By name, as in NUMBERS."""


def read(environment: Mapping[str, str]) -> Orders:
    """The orders in an environment; raises GlideinFailed (STARTUP), which names every mistake and its cure."""
    told = {n.removeprefix(PREFIX): v.strip() for n, v in environment.items() if n.startswith(PREFIX) and v.strip()}
    mistakes: list[str] = []

    def take(name: str, parse: Callable[[str], object]) -> None:
        text = told.pop(name, None)
        if text is None:
            return
        try:
            known[name.lower()] = parse(text)
        except ValueError as error:
            mistakes.append(f"{PREFIX}{name}={text}: {error}")

    known: dict[str, object] = {}
    for name in ("NAME", "KIND"):
        take(name, _matching(_NAME, "lower case letters, digits and '-', at most 63"))
    take("COLLECTOR", _matching(_COLLECTOR, "HOST:PORT"))
    for name in ("DOMAIN", "UID", "SITE", "POOL", "OWNER_PROJECT", "NODE", "POD", "ADDRESS"):
        take(name, _matching(_WORD, "a word of letters, digits and . _ @ : / -"))
    take("OUR_DOMAINS", _matching(_DOMAINS, "domains with commas between"))
    take("OUR_USERS", _matching(_USERS, "NAME@DOMAIN, several with commas between"))
    for name in ("TOKENS", "POLICY"):
        take(name, _folder)
    for name in ("DESCRIPTION", "SITE_CONFIG"):
        take(name, _file)
    for name in ("WORK", "HTCONDOR"):
        take(name, _path)
    told.pop("WORDS", None)
    take("WARM", _yes_or_no)
    take("DEVICES", _devices)
    numbers = {}
    for name in NUMBERS:
        take(name, _whole_number)
        if name.lower() in known:
            numbers[name] = known.pop(name.lower())
    for name in ("NAME", "KIND", "COLLECTOR", "DOMAIN", "TOKENS", "WORK"):
        if name.lower() not in known and not any(mistake.startswith(f"{PREFIX}{name}=") for mistake in mistakes):
            mistakes.append(f"{PREFIX}{name} is not set")
    mistakes += _whose(known)
    mistakes += [f"{PREFIX}{name} is not known" for name in told]
    if mistakes:
        raise GlideinFailed(Exit.STARTUP, "; ".join(mistakes) + " (docs/glidein.md has the table)")
    return Orders(numbers=numbers, **known)  # type: ignore[arg-type]  # each was parsed to its field's type


def _whose(known: Mapping[str, object]) -> Iterator[str]:
    """In a pool of others it must be said who we are, and nowhere else: at home it would restrict nothing."""
    said = [f"{PREFIX}{name}" for name in ("OUR_DOMAINS", "OUR_USERS") if name.lower() in known]
    if said and "pool" not in known:
        yield f"{' and '.join(said)} without {PREFIX}POOL: name the pool that somebody else runs"
    if "pool" in known and not said and "site_config" not in known:
        yield f"{PREFIX}POOL without {PREFIX}OUR_DOMAINS or {PREFIX}OUR_USERS: it would start nothing"


def words_file(environment: Mapping[str, str]) -> Path | None:
    """Where the last words go: where it is told, else where Kubernetes looks. Asked before anything can fail."""
    told = environment.get(f"{PREFIX}WORDS", "").strip()
    if told:
        return Path(told)
    return KUBERNETES_WORDS if KUBERNETES_WORDS.exists() else None


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"give {what}")
        return text

    return parse


def _path(text: str) -> Path:
    if not text.startswith("/") or _UNFIT.search(text):
        raise ValueError("give an absolute path without blanks, quotes, $ , ; : ( )")
    return Path(text)


def _folder(text: str) -> Path:
    if not _path(text).is_dir():
        raise ValueError("there is no such folder")
    return Path(text)


def _file(text: str) -> Path:
    if not _path(text).is_file():
        raise ValueError("there is no such file")
    return Path(text)


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("say true or false")
    return text.lower() == "true"


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError("give a whole number")
    return int(text)


def _devices(text: str) -> Mapping[str, int]:
    if text == "none":
        return {}
    found: Counter[str] = Counter()
    for part in text.split(","):
        match = _DEVICE.fullmatch(part.strip())
        if match is None:
            raise ValueError("give MODEL:NUMBER, several with commas between, or none")
        found[match[1]] += int(match[2])
    return dict(found)
