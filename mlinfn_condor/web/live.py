"""The one look for all viewers, and the stream of what changed. Without viewers nobody looks at the pool."""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from mlinfn_condor.web import drawing
from mlinfn_condor.web.board import Board
from mlinfn_condor.web.handovers import HandOver, happened
from mlinfn_condor.web.picture import Picture
from mlinfn_condor.web.source import Source
from mlinfn_condor.web.waiting import Queue

TICK_SECONDS = 0.1
KEPT_HANDOVERS = 12
STREAM_SECONDS = 1800
"""So long one sign-in is good for one stream."""
BEAT_SECONDS = 15
"""A stream says at least so often that it is there: proxies end silent ones."""


class Live:
    """Nodes and queue as they are now, for any number of viewers."""

    def __init__(self, nodes: Source[Picture], queue: Source[Queue], linger_seconds: float) -> None:
        self.nodes, self.queue = nodes, queue
        self.board = Board()
        self.viewers = 0
        self._handovers: deque[HandOver] = deque(maxlen=KEPT_HANDOVERS)
        self._before: Picture | None = None
        self._linger, self._wanted_until = linger_seconds, 0.0
        self._news = asyncio.Event()
        self._life = 0
        self._shown: set[str] = set()
        """Sources of which the board tells something, if only that they are away."""

    @property
    def sources(self) -> Mapping[str, Source[Any]]:
        """By the name that the pages give them."""
        return {self.nodes.name: self.nodes, self.queue.name: self.queue}

    async def run(self) -> None:
        """Until it is cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            if self.viewers or time.monotonic() < self._wanted_until:
                changed = [source for source in self.sources.values() if source.poll()]
                if changed:
                    drawn = await asyncio.to_thread(self._draw, changed)
                    # The board belongs to the event loop: streams read it between two of its updates.
                    for part, pieces in drawn.items():
                        self.board.update(pieces, part)
                    self._shown |= {source.name for source in changed}
                    self._tell()
            await asyncio.sleep(TICK_SECONDS)

    async def ready(self, seconds: float) -> None:
        """Have the pool looked at for a while, and wait until there is something to show, `seconds` at most."""
        self._wanted_until = time.monotonic() + self._linger
        deadline = time.monotonic() + seconds
        while not self._shown >= self.sources.keys() and time.monotonic() < deadline:
            if self.nodes.name in self._shown and time.monotonic() > deadline - seconds + 0.5:
                return  # the queues may take long; they come when they come
            await asyncio.sleep(TICK_SECONDS)

    async def events(self, mark: str) -> AsyncIterator[bytes]:
        """Server-sent events for a browser that has what was there at `mark`. They end now and then: it comes again."""
        have = self.board.version_of(mark)
        self.viewers += 1
        try:
            yield b"retry: 2000\n\n"
            life, until = self._life, time.monotonic() + STREAM_SECONDS
            # The browser comes again at once, and is asked anew who it is.
            while life == self._life and time.monotonic() < until:
                if pieces := self.board.since(have):
                    have = self.board.version
                    yield pieces
                yield self._ages()
                news = self._news
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), BEAT_SECONDS)
        finally:
            self.viewers -= 1
            self._wanted_until = max(self._wanted_until, time.monotonic() + self._linger)

    def hang_up(self) -> None:
        """End all streams; browsers come again by themselves. From any thread."""
        self._life += 1
        self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _ages(self) -> bytes:
        told = {
            name: {"age": round(time.time() - source.at, 1) if source.at else None, "away": bool(source.trouble)}
            for name, source in self.sources.items()
        }
        return f"event: ages\ndata: {json.dumps(told)}\n\n".encode()

    def _draw(self, changed: list[Source[Any]]) -> dict[str, dict[str, str]]:
        """Parts of the page and their pieces."""
        picture, drawn = self.nodes.latest, {}
        if self.nodes in changed and picture is not None and not self.nodes.trouble:
            self._handovers.extendleft(happened(self._before, picture))
            self._before = picture
            drawn["node-"] = drawing.node_pieces(picture)
            drawn["sum-"] = drawing.summary_pieces(picture)
            drawn["hand-"] = drawing.handover_pieces(self._handovers)
        drawn["queue-"] = drawing.queue_pieces(picture, self.queue.latest)
        drawn["src-"] = drawing.source_pieces(self.sources)
        return drawn
