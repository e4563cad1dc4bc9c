"""The keys of the provider: fetched by discovery, changed while we run, and kept while it is away."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import jwt

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.ingestion.settings import LOOPBACK

WELL_KNOWN = "/.well-known/openid-configuration"
FETCH_SECONDS = 5
OLD_SECONDS = 300
"""Age from which keys are fetched again: what the provider has withdrawn is believed no longer."""
PAUSE_SECONDS = 5
"""Between two fetches for keys that are not known: whoever makes up names of keys must not make us a nuisance."""
AGAIN_SECONDS = 60
"""Between two fetches that only renew, while the provider is away."""
LARGEST = 1_000_000
"""Bytes of an answer of the provider."""

Fetch = Callable[[str], Any]


class ProviderAway(MlinfnError):
    """The provider did not answer, or not as OpenID Connect has it; keys that are known go on working."""

    page = "docs/ingestion.md#whose-rows"


class KeyRing:
    """Keys by their names (`kid`). One thread fetches, the others wait for it."""

    def __init__(self, issuer: str, fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._fetch, self._clock = issuer.rstrip("/"), fetch or fetched, clock
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
            self._keys = self._ask()
        except ProviderAway as error:
            self._trouble = str(error)
        else:
            self._fetched, self._trouble = now, ""

    def _ask(self) -> dict[str, jwt.PyJWK]:
        told = self._get(self._issuer + WELL_KNOWN)
        issuer = told.get("issuer") if isinstance(told, Mapping) else None
        if not isinstance(issuer, str) or issuer.rstrip("/") != self._issuer:
            raise ProviderAway(f"what {self._issuer}{WELL_KNOWN} tells is not about {self._issuer}: check `issuer`")
        address = str(told.get("jwks_uri"))
        if not _is_private(address):
            raise ProviderAway(f"{self._issuer} names no encrypted address of its keys")
        found = self._get(address)
        keys = found.get("keys") if isinstance(found, Mapping) else None
        if not isinstance(keys, list):
            raise ProviderAway(f"{address} tells no keys")
        return dict(_readable(keys))

    def _get(self, address: str) -> Any:
        try:
            return self._fetch(address)
        except (OSError, HTTPException, ValueError) as error:
            raise ProviderAway(f"{address}: {error}") from error


def fetched(address: str) -> Any:
    """JSON from there. Raises OSError, HTTPException, ValueError."""
    with urllib.request.urlopen(address, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - encrypted, or loopback
        return json.loads(answer.read(LARGEST))


def _readable(keys: list[Any]) -> list[tuple[str, jwt.PyJWK]]:
    """Those that sign and that we can read; a provider may have others. Symmetric keys are nobody's here."""
    found = []
    for place, key in enumerate(keys):
        if not isinstance(key, Mapping) or key.get("use", "sig") != "sig" or key.get("kty") == "oct":
            continue
        try:
            found.append((str(key.get("kid", place)), jwt.PyJWK(dict(key))))
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    return found


def _is_private(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
