"""An access token: signed by the provider, for us, and not over. What its groups open, the database decides."""

import re
from collections.abc import Mapping
from typing import Any

import jwt

from mlinfn_condor.ingestion import refusals
from mlinfn_condor.ingestion.keys import KeyRing
from mlinfn_condor.ingestion.provider import ProviderAway
from mlinfn_condor.ingestion.settings import Ingestion

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of keys of which only the provider has the secret part: never `none`, never HS…."""
LONGEST = 16_384
"""Characters of a token."""
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = (None, "JWT", "jwt", "at+jwt", "application/at+jwt")


def claims(header: str | None, settings: Ingestion, keys: KeyRing) -> Mapping[str, Any]:
    """What the token in an `Authorization` header says. Raises Refusal: 401, or 503 when nobody can tell."""
    if header is None:
        raise refusals.no_token()
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise refusals.no_token()
    if len(token) > LONGEST or not _SHAPE.fullmatch(token):
        raise refusals.invalid_token("PGRST301", "This is no signed token")
    try:
        head = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise refusals.invalid_token("PGRST301", "The token cannot be read") from error
    if head.get("alg") not in ALGORITHMS or head.get("typ") not in _TYPES or "crit" in head:
        raise refusals.invalid_token("PGRST301", "Tokens signed in this way are not taken")
    key = _key(head.get("kid"), keys)
    return _checked(token, str(head["alg"]), key, settings)


def _key(name: Any, keys: KeyRing) -> jwt.PyJWK:
    if name is not None and not isinstance(name, str):
        raise refusals.invalid_token("PGRST301", "The token cannot be read")
    try:
        key = keys.key(name)
    except ProviderAway as error:
        raise refusals.away("The identity provider", "its keys are not known yet") from error
    if key is None:
        raise refusals.invalid_token("PGRST301", "No key of the provider has signed the token")
    return key


def _checked(token: str, algorithm: str, key: jwt.PyJWK, settings: Ingestion) -> Mapping[str, Any]:
    try:
        told: Mapping[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[algorithm],
            audience=settings.audience,
            leeway=settings.leeway_seconds,
            options={"require": ["exp", "iss", "aud", "sub"], "verify_iat": True},
        )
    except jwt.ExpiredSignatureError as error:
        raise refusals.invalid_token("PGRST303", "JWT expired") from error
    except jwt.InvalidAudienceError as error:
        raise refusals.invalid_token("PGRST303", "JWT not in audience") from error
    except (jwt.InvalidSignatureError, jwt.DecodeError, jwt.InvalidKeyError) as error:
        raise refusals.invalid_token("PGRST301", "No key of the provider has signed the token") from error
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise refusals.invalid_token("PGRST303", "The claims of the token do not hold") from error
    issuer = told["iss"]
    if not isinstance(issuer, str) or issuer.rstrip("/") != settings.issuer.rstrip("/"):
        raise refusals.invalid_token("PGRST303", "The token is of another issuer")
    return told
