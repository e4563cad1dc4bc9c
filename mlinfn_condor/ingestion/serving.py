"""The front end as a server: FastAPI and uvicorn around `front`. Every refusal has PostgREST's form."""

import asyncio
import json
import socket
from collections.abc import Callable
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI
from fastapi import Request as Received
from fastapi import Response as Sent
from starlette.concurrency import run_in_threadpool

from mlinfn_condor.ingestion import refusals
from mlinfn_condor.ingestion.front import Answer, Front, Request
from mlinfn_condor.ingestion.keys import KeyRing
from mlinfn_condor.ingestion.refusals import Refusal
from mlinfn_condor.ingestion.settings import Ingestion
from mlinfn_condor.store.crowd import Crowd

CONNECTIONS = 8
"""To the database; of requests that are more, each waits for one."""
WAIT_SECONDS = 10
BODY_SECONDS = 60
"""In which a body must have come."""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
MEGABYTE = 1_000_000
APPLICATION = "mlinfn ingest"


def application(settings: Ingestion, dsn: str) -> FastAPI:
    """The front end over one database."""
    crowd = Crowd(dsn, CONNECTIONS, WAIT_SECONDS, APPLICATION)
    front = Front(settings, KeyRing(settings.issuer), crowd)
    app = FastAPI(title="mlinfn ingestion", docs_url=None, redoc_url=None, openapi_url=None)
    app.router.on_shutdown.append(crowd.close)

    async def any_table(path: str, received: Received) -> Sent:
        try:
            answer = await _answered(front, settings, path, received)
        except Refusal as refusal:
            answer = _refused(refusal)
        return Sent(answer.body, answer.status, answer.headers)

    app.add_api_route("/{path:path}", any_table, methods=METHODS)
    return app


def run(settings: Ingestion, dsn: str, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Until SIGTERM; requests that have begun are ended first. `ready` is told the address."""
    listening = socket.create_server(
        (host, port), backlog=512, family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )
    shown = f"[{host}]" if ":" in host else host
    # h11: the stricter parser of the two that uvicorn has
    config = uvicorn.Config(
        application(settings, dsn), http="h11", log_level="warning", access_log=False, server_header=False,
        h11_max_incomplete_event_size=65_536, timeout_graceful_shutdown=30, lifespan="on", ws="none",
    )  # fmt: skip
    ready(f"http://{shown}:{listening.getsockname()[1]}")
    uvicorn.Server(config).run(sockets=[listening])


async def _answered(front: Front, settings: Ingestion, path: str, received: Received) -> Answer:
    headers: dict[str, list[str]] = {}
    for name, value in received.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    request = Request(received.method, path, _query(received), headers)
    claims = await run_in_threadpool(front.admit, request)
    if "/" in path or not path:
        raise refusals.not_covered(f"/{path[:100]}: only tables are offered")
    if request.method == "POST":
        body = await _body(received, request.header("content-length"), settings.most_mb * MEGABYTE)
        request = Request(request.method, request.table, request.query, request.headers, body)
    return await run_in_threadpool(front.answer, request, claims)


def _query(received: Received) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            received.url.query, keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=200
        )
    except ValueError as error:
        raise refusals.unparsed("query: no UTF-8, or more than 200 parameters") from error


async def _body(received: Received, length: str | None, most: int) -> bytes:
    too_large = Refusal(413, "PT413", f"The body is larger than {most} bytes", hint="Send several requests.")
    if length is not None and (not length.isdigit() or int(length[:19]) > most):
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in received.stream():
                size += len(part)
                if size > most:
                    raise too_large
                parts.append(part)
    except TimeoutError as error:
        raise Refusal(408, "PT408", f"The body did not come within {BODY_SECONDS} s") from error
    return b"".join(parts)


def _refused(refusal: Refusal) -> Answer:
    content = {"Content-Type": "application/json; charset=utf-8"}
    # What is left of a body that nobody reads must not be taken for another request.
    return Answer(
        refusal.status, json.dumps(refusal.body).encode(), content | refusal.headers | {"Connection": "close"}
    )
