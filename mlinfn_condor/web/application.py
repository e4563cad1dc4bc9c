"""The application: pages, streams, files, and what guards them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from mlinfn_condor.web import mine, pages, report_pages
from mlinfn_condor.web.person import DoorShut
from mlinfn_condor.web.window import Window

STATIC = Path(__file__).parent / "static"
GUARD = {
    # Nothing from elsewhere, nothing within a line: what a job's name or a reason holds can never be a program.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
FOREIGN = ("cross-site", "same-site")
"""What a browser says of a request that another page made: those change nothing here."""


def application(window: Window) -> FastAPI:
    """For any ASGI server; it lies at `window.root`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        app.state.looking = asyncio.create_task(window.live.run())
        yield
        app.state.looking.cancel()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.window = window

    @app.middleware("http")
    async def guard(request: Request, then: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.method not in ("GET", "HEAD") and request.headers.get("sec-fetch-site") in FOREIGN:
            return PlainTextResponse("another page's form changes nothing here", 403)
        answer = await then(request)
        for name, value in GUARD.items():
            answer.headers.setdefault(name, value)
        if not request.url.path.startswith(f"{window.root}static/"):
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    @app.get(f"{window.root}oauth_callback")
    async def came_back(request: Request) -> Response:
        return await run_in_threadpool(window.door.came_back, request)

    @app.get(f"{window.root}health")
    async def health() -> Response:
        # Nobody else would notice: pages go on to answer, with a picture that stands still.
        if app.state.looking.done():
            return PlainTextResponse("nobody looks at the pool any more", 503)
        return PlainTextResponse("well")

    app.include_router(pages.router, prefix=window.root.rstrip("/"))
    app.include_router(mine.router, prefix=window.root.rstrip("/"))
    app.include_router(report_pages.router, prefix=window.root.rstrip("/"))
    app.mount(f"{window.root}static", StaticFiles(directory=STATIC))
    app.add_exception_handler(pages.Stranger, pages.turn_away)
    app.add_exception_handler(DoorShut, pages.shut)
    return app
