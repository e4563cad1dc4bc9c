"""Pictures into HTML: templates, and the pieces of the pool's page that are sent when they change."""

import re
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from mlinfn_condor.web import words
from mlinfn_condor.web.handovers import HandOver
from mlinfn_condor.web.picture import Node, Picture
from mlinfn_condor.web.source import Source
from mlinfn_condor.web.waiting import Queue

KEPT_NODES = 4096
"""Nodes whose HTML is kept: one that looks as before is not drawn again."""

templates = Environment(
    loader=PackageLoader("mlinfn_condor.web"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.globals.update({name: getattr(words, name) for name in words.__all__})


def render(template: str, **values: Any) -> str:
    """A template of this package."""
    return templates.get_template(template).render(now=int(time.time()), **values)


def element_id(kind: str, name: str) -> str:
    """An id that HTML, CSS and a URL's fragment all take."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_-]', '_', name)}"


def node_pieces(picture: Picture) -> dict[str, str]:
    """The pieces of the nodes, by id."""
    return {element_id("node", node.name): _node(node, time.strftime("%F")) for node in picture.nodes}


@lru_cache(maxsize=KEPT_NODES)
def _node(node: Node, day: str) -> str:
    """`day`: a time of yesterday is written with its date."""
    return render("node.html", node=node, id=element_id("node", node.name)).replace("\n", "")


def summary_pieces(picture: Picture) -> dict[str, str]:
    """How many devices of each model are used for what, and the counts of the queue."""
    uses = ("free", "session", "dask", "batch", "handing over", "broken")
    models: dict[str, dict[str, int]] = {}
    for node in picture.nodes:
        for tile in node.tiles:
            label = f"{tile.model} (simulated)" if tile.simulated else tile.model
            counted = models.setdefault(label, dict.fromkeys(uses, 0))
            counted[tile.use] += 1
    return {"sum-models": _one_line(render("models.html", models=sorted(models.items()), uses=uses))}


def queue_pieces(picture: Picture | None, queue: Queue | None) -> dict[str, str]:
    """The table of the queue: counts of now, waits and reasons of the last look at the queues."""
    counts = {(one.priority_class, one.project): one for one in picture.counts} if picture else {}
    waits = {(one.priority_class, one.project): one for one in queue.waiting} if queue else {}
    order = {"interactive": 0, "dask": 1, "batch": 2}
    keys = sorted({*counts, *waits}, key=lambda key: (order.get(key[0], 9), key[1]))
    rows = [(*key, counts.get(key), waits.get(key)) for key in keys]
    return {"queue-table": _one_line(render("queue.html", rows=rows, known=picture is not None))}


def handover_pieces(recent: Iterable[HandOver]) -> dict[str, str]:
    """The latest first."""
    return {"hand-list": _one_line(render("handovers.html", recent=list(recent)))}


def source_pieces(sources: Mapping[str, Source[Any]]) -> dict[str, str]:
    """Which sources are away."""
    return {"src-away": _one_line(render("away.html", sources=sources))}


def _one_line(html: str) -> str:
    return html.replace("\n", " ")
