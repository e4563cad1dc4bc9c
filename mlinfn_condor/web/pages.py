"""The pool's page, its stream, and the administrators' page."""

import gzip
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from mlinfn_condor.web.administration import alarms_of
from mlinfn_condor.web.drawing import render
from mlinfn_condor.web.person import Person
from mlinfn_condor.web.window import Window

router = APIRouter()
GZIP_FROM = 2000
FIRST_SECONDS = 10
"""A first viewer waits so long for the pool at most, and then sees a page that says what is missing."""


class Stranger(Exception):
    """Somebody whom the door does not know."""


async def window_of(request: Request) -> Window:
    """What the pages stand on."""
    found: Window = request.app.state.window
    return found


Win = Annotated[Window, Depends(window_of)]


async def somebody(request: Request, window: Win) -> Person:
    """Who is signed in. Raises Stranger."""
    person = await run_in_threadpool(window.door.person, request)
    if person is None:
        raise Stranger
    return person


Somebody = Annotated[Person, Depends(somebody)]


async def turn_away(request: Request, _: Exception) -> Response:
    """A browser that wants a page is sent to sign in, anything else is told that it is not."""
    window = await window_of(request)
    page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if page and "hx-request" not in request.headers:
        return await run_in_threadpool(window.door.turn_away, request)
    return PlainTextResponse("sign in first: open the page anew", 403)


async def shut(_: Request, __: Exception) -> Response:
    """For pages and pieces alike; a stream is tried again by its page."""
    told = "The hub does not answer, so nobody knows who you are. Sessions and jobs go on; try again in a moment."
    return HTMLResponse(render("stranger.html", sentence=told), 503, {"Retry-After": "5"})


def page(
    request: Request, window: Window, person: Person, template: str, here: str, status: int = 200, **values: Any
) -> Response:
    """A whole page in its frame, compressed when the browser takes that."""
    html = render(template, root=window.root, hub=window.door.hub, person=person, here=here, **values).encode()
    if len(html) < GZIP_FROM or "gzip" not in request.headers.get("accept-encoding", ""):
        return HTMLResponse(html, status)
    return HTMLResponse(gzip.compress(html, 1), status, {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


@router.get("/")
async def pool(request: Request, window: Win, person: Somebody) -> Response:
    """Every node and device, the queue, hand-overs."""
    live = window.live
    await live.ready(FIRST_SECONDS)
    pieces = live.board.pieces
    nodes = [pieces[name] for name in sorted(pieces) if name.startswith("node-")]
    ages = {
        name: {"age": round(time.time() - source.at, 1) if source.at else None, "away": bool(source.trouble)}
        for name, source in live.sources.items()
    }
    away = {"src-away": pieces.get("src-away", '<div id="src-away" role="status"></div>')}
    return page(
        request, window, person, "pool.html", "",
        mark=live.board.mark, pieces={**pieces, **away}, nodes=nodes, ages=ages,
    )  # fmt: skip


@router.get("/events")
async def events(window: Win, person: Somebody, request: Request, mark: str = "") -> Response:
    """What changes on the pool's page, until the browser leaves."""
    last = request.headers.get("last-event-id") or mark
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(window.live.events(last), media_type="text/event-stream", headers=headers)


@router.get("/administration")
async def administration(request: Request, window: Win, person: Somebody) -> Response:
    """For administrators; 403 for anybody else."""
    if not person.admin:
        return page(request, window, person, "message.html", "", 403, title="Not for you", body="Administrators only.")
    await window.live.ready(1)
    source = window.administration
    deadline = time.monotonic() + FIRST_SECONDS
    while True:
        source.poll()
        if source.known or time.monotonic() > deadline:
            break
        await run_in_threadpool(time.sleep, 0.05)
    seen = source.latest
    away = {name: one.trouble for name, one in window.live.sources.items()}
    return page(
        request, window, person, "administration.html", "administration",
        at=source.at, trouble=source.trouble, sheets=seen.sheets if seen else (),
        alarms=[*alarms_of(window.live.nodes.latest, away), *(seen.alarms if seen else ())],
    )  # fmt: skip
