"""Connections for many short transactions at once: kept open, bounded in number, and given up when they break.

A database that is away is told of at once, and one that is back is used at once: a pool that reconnects by itself,
after pauses that double, would keep callers waiting for both.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from mlinfn_condor.store.connection import connect
from mlinfn_condor.store.errors import StoreUnreachable


class Crowd:
    """At most `most` connections of one DSN."""

    def __init__(self, dsn: str, most: int, wait_seconds: float, application: str) -> None:
        self._dsn, self._wait, self._application = dsn, wait_seconds, application
        self._room = threading.BoundedSemaphore(most)
        self._idle: list[psycopg.Connection] = []
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self, begin: str, values: dict[str, str]) -> Iterator[psycopg.Connection]:
        """A transaction that has begun with this statement; committed at the end of the block, else undone.

        Raises StoreUnreachable when there is no database, or no room in time; psycopg's Error.
        """
        if not self._room.acquire(timeout=self._wait):
            raise StoreUnreachable("every connection to the database is busy: try again later")
        try:
            connection = self._begun(begin, values)
            try:
                yield connection
                connection.commit()
            except BaseException:
                with suppress(psycopg.Error):
                    connection.rollback()
                raise
            finally:
                self._put_back(connection)
        finally:
            self._room.release()

    def close(self) -> None:
        """End those that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _begun(self, begin: str, values: dict[str, str]) -> psycopg.Connection:
        """Over one that was kept, if it still works; nothing of the request was sent before that is known."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                kept.execute(begin, values)
            except psycopg.OperationalError:
                kept.close()
                self.close()
            except psycopg.Error:
                kept.rollback()
                self._put_back(kept)
                raise
            else:
                return kept
        fresh = connect(self._dsn, application=self._application)
        try:
            fresh.execute(begin, values)
        except psycopg.Error:
            fresh.close()
            raise
        return fresh

    def _put_back(self, connection: psycopg.Connection) -> None:
        if connection.closed or connection.broken:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)
