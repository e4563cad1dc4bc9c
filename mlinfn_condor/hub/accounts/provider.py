"""An OpenID provider as the standard has it: where its parts are, and whether an ID token is meant for us."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from typing import Any, Self

import jwt
from jwt.types import Options

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.accounts.openid import is_private

DISCOVERY_SECONDS = 10
CLOCK_SECONDS = 60
"""How far the provider's clock may be from ours."""
WELL_KNOWN = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization", "token", "userinfo")
_CHECKS: Options = {
    "verify_signature": False,
    "verify_aud": True,
    "verify_exp": True,
    "require": ["exp", "sub", "aud", "iss"],
}


class ProviderUnavailable(MlinfnError):
    """The provider did not answer, or not as OpenID Connect has it; nobody can sign in until it does."""


class NotMeantForUs(MlinfnError):
    """An ID token is another sign-in's, another client's or another provider's; nobody is signed in with it."""


@dataclass(frozen=True)
class Provider:
    """Addresses of a provider."""

    authorize_url: str
    token_url: str
    userinfo_url: str
    takes_basic: bool
    """Whether the client's secret goes into the header of a request for tokens; into its body otherwise."""

    @classmethod
    def from_metadata(cls, issuer: str, told: Any) -> Self:
        """Read what the provider tells at WELL_KNOWN. Raises ProviderUnavailable with the reason."""
        if not isinstance(told, Mapping) or not same_issuer(told.get("issuer"), issuer):
            raise ProviderUnavailable(f"what {issuer}{WELL_KNOWN} tells is not about {issuer}: check `issuer`")
        authorize, token, userinfo = (str(told.get(f"{name}_endpoint")) for name in _ENDPOINTS)
        if not all(map(is_private, (authorize, token, userinfo))):
            raise ProviderUnavailable(f"{issuer} names no encrypted {', '.join(_ENDPOINTS)} endpoints")
        methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return cls(authorize, token, userinfo, takes_basic="client_secret_basic" in methods)


def discover(issuer: str) -> Provider:
    """Ask the provider where its parts are. Raises ProviderUnavailable."""
    address = issuer.rstrip("/") + WELL_KNOWN
    try:
        with urllib.request.urlopen(address, timeout=DISCOVERY_SECONDS) as answer:  # noqa: S310 - encrypted, or loopback
            told = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        raise ProviderUnavailable(f"{address}: {error}") from error
    return Provider.from_metadata(issuer.rstrip("/"), told)


def same_issuer(told: object, issuer: str) -> bool:
    """Providers are not of one mind about the slash at the end."""
    return isinstance(told, str) and told.rstrip("/") == issuer.rstrip("/")


def nonce_of(code_verifier: str) -> str:
    """What ties an ID token to one browser's sign-in: from the secret in its cookie, which is in no address."""
    return sha256(f"nonce {code_verifier}".encode()).hexdigest()


def subject_of(id_token: object, issuer: str, client_id: str, nonce: str) -> str:
    """Whom an ID token is about. Raises NotMeantForUs.

    Its signature is not looked at: it came from the provider itself over an encrypted line (OpenID Connect 3.1.3.7).
    """
    try:
        claims = jwt.decode(str(id_token), audience=client_id, leeway=CLOCK_SECONDS, options=_CHECKS)
    except jwt.InvalidTokenError as error:
        raise NotMeantForUs(f"ID token: {error}") from error
    if not same_issuer(claims["iss"], issuer):
        raise NotMeantForUs(f"ID token: it comes from {claims['iss']}")
    if claims.get("nonce") != nonce:
        raise NotMeantForUs("ID token: it belongs to another sign-in")
    return str(claims["sub"])
