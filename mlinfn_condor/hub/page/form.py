"""The spawn page's form: HTML for JupyterHub to put between its own `<form>` tags.

It is true without a script at the moment it is sent; its script keeps it true.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mlinfn_condor.hub.page.choice import FIELDS, NO_DEVICE, Choice
from mlinfn_condor.hub.page.holdings import held
from mlinfn_condor.hub.page.limits import Held
from mlinfn_condor.hub.page.platform import Platform
from mlinfn_condor.hub.page.view import Board, Said, board, said

TEMPLATES = Path(__file__).parent / "templates"
"""For `c.JupyterHub.template_paths` too: the administrator's page and the link to it lie there."""

REFRESH_SECONDS = 5
"""Between two looks of an open page; each is answered from the hub's memory."""

_NUMBER = re.compile(r"[0-9]{1,9}([.,][0-9]{1,3})?")

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True)
class Form:
    """What the template is filled with."""

    board: Board
    said: Said
    user: str
    server: str
    projects: tuple[str, ...]
    project: str
    chosen: Mapping[str, str]
    """Values by field, as the form would send them."""
    most_devices: int
    hub_url: str
    refresh_seconds: int = REFRESH_SECONDS


async def render(
    platform: Platform, user: str, server: str, hub_url: str, told: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The form for one server of a user. `hub_url` is the hub's base (`/hub/`).

    `told` is a form that was refused: whoever mends a mistake does not begin anew.
    """
    snapshot = await platform.snapshot()
    limits, projects = platform.limits, platform.projects_of(user)
    seen = board(snapshot, platform.inventory, limits, platform.owners_displace_sessions)
    first_project = projects[0] if projects else ""
    defaults = {"device": NO_DEVICE, "count": "1", "cpus": "", "memory_gb": "", "project": first_project}
    chosen = {**defaults, **possible(told or {}, {card.value for card in seen.cards}, projects)}
    project = chosen["project"]
    # What is said first is about the simplest choice; the script asks again for what is chosen.
    holding = others(() if snapshot is None else held(snapshot, platform.owner_of), user, server)
    first = said(seen, Choice.from_options({}, seen.offers), user, project, holding, limits)
    form = Form(seen, first, user, server, projects, project, chosen, max(1, limits.devices_per_session), hub_url)
    return _ENVIRONMENT.get_template("spawn_form.html").render(form=form)


def possible(told: Mapping[str, Sequence[str]], devices: Collection[str], projects: Collection[str]) -> dict[str, str]:
    """What of a refused form can stand in its fields again: anybody may have written it, so the rest is dropped."""
    given = {field: told[field][0].strip() for field in FIELDS if len(told.get(field, ())) == 1}
    offered = {"device": devices, "project": projects}
    return {
        field: value
        for field, value in given.items()
        if (value in offered[field] if field in offered else _NUMBER.fullmatch(value))
    }


def others(holding: tuple[Held, ...], user: str, server: str) -> tuple[Held, ...]:
    """All sessions but the one that is being started: a server that starts again does not stand in its own way."""
    return tuple(one for one in holding if (one.user, one.server) != (user, server))
