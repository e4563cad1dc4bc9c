"""The keys of the provider: fetched by discovery, changed while we run, and kept while it is away."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from mlinfn_condor.ingestion.provider import AGAIN_SECONDS, OLD_SECONDS, Fetch, ProviderAway, published

PAUSE_SECONDS = 5
"""Between two fetches for keys that are not known: whoever makes up names of keys must not make us a nuisance."""


class KeyRing:
    """Keys by their names (`kid`). One thread fetches, the others wait for it."""

    def __init__(self, issuer: str, fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._fetch, self._clock = issuer, fetch, clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._trouble = ""
        self._lock = threading.Lock()

    def key(self, name: str | None) -> jwt.PyJWK | None:
        """The key of this name, or the only one where a token names none; None: the provider has no such key.

        Raises ProviderAway when that cannot be known.
        """
        now = self._clock()
        if self._find(name) is None:
            with self._lock:
                self._renew(name, PAUSE_SECONDS)
        elif now - self._fetched > OLD_SECONDS and self._lock.acquire(blocking=False):
            # One asks, the others go on: a provider that hangs holds nobody up whose key is known.
            try:
                self._renew(name, AGAIN_SECONDS)
            finally:
                self._lock.release()
        found = self._find(name)
        if found is None and self._trouble:
            raise ProviderAway(self._trouble)
        return found

    def _find(self, name: str | None) -> jwt.PyJWK | None:
        if name is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(name)

    def _renew(self, name: str | None, pause: float) -> None:
        now = self._clock()
        fresh = now - self._fetched <= OLD_SECONDS
        if (fresh and self._find(name) is not None) or now - self._tried < pause:
            return
        self._tried = now
        try:
            self._keys = dict(_readable(published(self._issuer, self._fetch)))
        except ProviderAway as error:
            self._trouble = str(error)
        else:
            self._fetched, self._trouble = now, ""


def _readable(keys: list[dict[str, Any]]) -> list[tuple[str, jwt.PyJWK]]:
    """Those that we can read; a provider may have others."""
    found = []
    for place, key in enumerate(keys):
        try:
            found.append((str(key.get("kid", place)), jwt.PyJWK(key)))
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    return found
