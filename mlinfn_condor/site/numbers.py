"""`[numbers]`: numbers of the policy that a site sets otherwise. Which there are, and what they mean, says the policy's
own file, `condor_config.d/00-state-the-numbers.conf`: `vacate_seconds` here is MLINFN_VACATE_SECONDS there.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated

from pydantic import AfterValidator

from mlinfn_condor.shipped import shipped

Number = bool | int | float
_LINE = re.compile(r"MLINFN_(\w+) *= *(true|false|\d+(?:\.\d+)?)")
SAID_ELSEWHERE = {
    "devices_per_user": "limits.devices_per_user",
    "devices_per_project": "limits.devices_per_project",
    "count_devices": "limits: it follows from what is limited there",
    "job_max_hours": "limits.hours_per_job",
    "flock_unasked": "external.unasked",
    "flock_step": "external: the pools are tried one after another",
}


def prefixed(name: str) -> str:
    """The macro of a number."""
    return f"MLINFN_{name.upper()}"


@cache
def shipped_numbers() -> Mapping[str, Number]:
    """The numbers of the policy as it ships, by name."""
    file = shipped("condor_config.d") / "00-state-the-numbers.conf"
    return _numbers(file.read_text())


@cache
def glidein_numbers() -> Mapping[str, Number]:
    """The numbers of glideins as they ship, by name; those that are reckoned from others are not among them."""
    file = shipped("glidein") / "config.d" / "00-state-the-numbers-of-glideins.conf"
    return _numbers(file.read_text())


def _numbers(text: str) -> Mapping[str, Number]:
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return {match[1].lower(): _value(match[2]) for match in found if match}


def _value(text: str) -> Number:
    if text in ("true", "false"):
        return text == "true"
    return float(text) if "." in text else int(text)


def _mistakes(told: Mapping[str, Number]) -> Iterator[str]:
    known = shipped_numbers()
    for name, value in told.items():
        if where := SAID_ELSEWHERE.get(name):
            yield f"{name}: said in {where}"
        elif name not in known:
            near = get_close_matches(name, known, 1)
            hint = f": did you mean {near[0]}?" if near else ", see condor_config.d/00-state-the-numbers.conf"
            yield f"{name}: the policy has no such number{hint}"
        elif isinstance(known[name], bool) is not isinstance(value, bool):
            yield f"{name}: {value!r} is of another kind than the policy's own value, {known[name]!r}"
        elif not isinstance(value, bool) and value < 0:
            yield f"{name}: {value} is below 0"
        elif isinstance(value, float) and isinstance(known[name], int):
            yield f"{name}: {value} has to be a whole number"


def _are_known(told: dict[str, Number]) -> dict[str, Number]:
    if found := list(_mistakes(told)):
        raise ValueError("\n".join(found))
    return told


Numbers = Annotated[dict[str, Number], AfterValidator(_are_known)]
