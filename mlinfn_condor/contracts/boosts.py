"""Boosts of a project for a while: which submitters get what, and until when. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool.leases import Lease, LeaseKind

_SPAN = re.compile(r"\+(\d+)([mhd])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=31)


def seconds_until(text: str, now: datetime) -> int:
    """Seconds from `now` to `2026-11-27 18:00` (local time where none is told) or `+8h`. Raises BadRequest."""
    span = _SPAN.fullmatch(text.strip())
    try:
        end = now + timedelta(**{_UNIT[span[2]]: int(span[1])}) if span else datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"--until {text!r} is no time: write 2026-11-27T18:00, or +8h, +90m, +3d") from error
    if end.tzinfo is None:
        end = end.astimezone()
    if not timedelta(0) < end - now <= LONGEST:
        raise BadRequest(f"--until {text}: a boost ends within {LONGEST.days} days from now, and not before")
    return max(1, round((end - now).total_seconds()))


def members(project_map: Iterable[str], project: str) -> list[str]:
    """Users of a project, from the lines of the pool's map (`* alice alpha,beta`). Raises BadRequest for none."""
    words = [line.split() for line in project_map if line.strip() and not line.startswith("#")]
    found = sorted({w[1] for w in words if len(w) == 3 and project in w[2].split(",")})
    if not found:
        raise BadRequest(f"nobody belongs to a project {project}")
    return found


def submitters(project: str, users: Iterable[str], classes: Sequence[PriorityClass], domain: str) -> list[str]:
    """As the negotiator accounts them."""
    return [f"{c.accounting_group}.{project}.{user}@{domain}" for c in classes for user in users]


def of_project(leases: Iterable[Lease], project: str) -> Iterator[tuple[str, LeaseKind]]:
    """Those that a project has."""
    groups = tuple(f"{c.accounting_group}.{project}." for c in PriorityClass)
    return ((lease.submitter, lease.kind) for lease in leases if lease.submitter.startswith(groups))
