"""What an OpenID provider publishes of its keys: asked by discovery. Nothing here is secret."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.ingestion.settings import LOOPBACK

WELL_KNOWN = "/.well-known/openid-configuration"
FETCH_SECONDS = 5
OLD_SECONDS = 300
"""Age from which keys are fetched again: what the provider has withdrawn is believed no longer."""
AGAIN_SECONDS = 60
"""Between two fetches that only renew, while the provider is away."""
LARGEST = 1_000_000
"""Bytes of an answer of the provider."""

Fetch = Callable[[str], Any]


class ProviderAway(MlinfnError):
    """The provider did not answer, or not as OpenID Connect has it; keys that are known go on working."""

    page = "docs/ingestion.md#whose-rows"


def published(issuer: str, fetch: Fetch | None = None) -> list[dict[str, Any]]:
    """Its keys that sign, as JSON Web Keys; symmetric keys are nobody's here. Raises ProviderAway."""
    ask, issuer = fetch or fetched, issuer.rstrip("/")
    told = _get(ask, issuer + WELL_KNOWN)
    said = told.get("issuer") if isinstance(told, Mapping) else None
    if not isinstance(said, str) or said.rstrip("/") != issuer:
        raise ProviderAway(f"what {issuer}{WELL_KNOWN} tells is not about {issuer}: check `issuer`")
    address = str(told.get("jwks_uri"))
    if not _is_private(address):
        raise ProviderAway(f"{issuer} names no encrypted address of its keys")
    found = _get(ask, address)
    keys = found.get("keys") if isinstance(found, Mapping) else None
    if not isinstance(keys, list):
        raise ProviderAway(f"{address} tells no keys")
    return [dict(key) for key in keys if isinstance(key, Mapping) and _signs(key)]


def fetched(address: str) -> Any:
    """JSON from there. Raises OSError, HTTPException, ValueError."""
    with urllib.request.urlopen(address, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - encrypted, or loopback
        return json.loads(answer.read(LARGEST))


def _signs(key: Mapping[str, Any]) -> bool:
    return key.get("use", "sig") == "sig" and key.get("kty") != "oct"


def _get(fetch: Fetch, address: str) -> Any:
    try:
        return fetch(address)
    except (OSError, HTTPException, ValueError) as error:
        raise ProviderAway(f"{address}: {error}") from error


def _is_private(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
