"""HTCondor's IDTOKENs for people, signed in this process: what `condor_token_create` does, without a process per token.

A token names one user, may read and submit (never command), and ends. Sessions get tokens of a key of their own, so
that removing that one key ends all of them and no daemon's. Clients look for a token at each connection, so a new file
takes effect at once; a connection's security session ends with the token that it was opened with.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jwt

from mlinfn_condor.embedded import signing
from mlinfn_condor.errors import BadRequest, PoolUnavailable
from mlinfn_condor.identity.names import identity
from mlinfn_condor.storage import owned

LIFETIME_SECONDS = 3600
"""How long a token is good that nobody renews: what a user may keep after his session."""
RENEWED_PART = 0.5
"""Part of its life after which a token is renewed: the rest is what a hub may be down before a session notices."""
USER_SCOPES = ("READ", "WRITE")


@dataclass(frozen=True)
class Token:
    """A signed token. Its text is a secret: it is in no repr."""

    user: str
    expires: int
    """Seconds of the epoch."""
    id: str
    text: str

    def __repr__(self) -> str:
        return f"Token({self.user!r}, expires={self.expires}, id={self.id!r})"


@dataclass(frozen=True)
class Issuer:
    """Who signs: a key of the pool's SEC_PASSWORD_DIRECTORY, and the pool's TRUST_DOMAIN."""

    key_file: Path
    trust_domain: str

    def token(self, user: str, expires: int, now: int, scopes: Sequence[str] = USER_SCOPES) -> Token:
        """A token for `user`. Raises BadRequest for a name that is no person's, PoolUnavailable without the key."""
        token_id = secrets.token_hex(16)
        claims = {"scope": " ".join(f"condor:/{scope}" for scope in scopes), "exp": expires, "jti": token_id}
        name = identity(user)
        try:
            text = signing.signed(self.key_file, self.trust_domain, name, now, claims)
        except OSError as error:
            raise self._without_key(error) from error
        return Token(user, expires, token_id, text)

    def listed(self, user: str) -> str:
        """The line of all tokens of a user in the pool's list of them. Raises PoolUnavailable without the key."""
        try:
            return signing.line(signing.seal_of(self.key_file, user), user)
        except OSError as error:
            raise self._without_key(error) from error

    def _without_key(self, error: OSError) -> PoolUnavailable:
        return PoolUnavailable(
            f"no key to sign tokens with: {self.key_file}: {error.strerror}; bring the pool down and up again"
        )


def signed(key_file: Path, trust_domain: str, identity: str, expires: int, now: int) -> str:
    """A token for a role of the pool, whose rights are those that the policy gives the role: no scope narrows them.

    For who makes a site's secrets; a hub signs for people alone. Raises OSError without the key.
    """
    return signing.signed(key_file, trust_domain, identity, now, {"exp": expires})


def expiry(now: int, lifetime_seconds: int, until: float | None = None) -> int:
    """When a token made now ends: after its lifetime, and never past the end of its user's account."""
    ends = now + lifetime_seconds
    return ends if until is None else min(ends, int(until))


def due(now: float, expires: float | None, lifetime_seconds: float) -> bool:
    """Whether a token has to be renewed; None and an end that we cannot have given are tokens we do not know."""
    if expires is None or expires > now + lifetime_seconds:
        return True
    return expires - now <= lifetime_seconds * (1 - RENEWED_PART)


def renew(
    folder: Path,
    issuer: Issuer,
    user: str,
    now: int,
    *,
    lifetime_seconds: int = LIFETIME_SECONDS,
    until: float | None = None,
) -> int | None:
    """Give the session in `folder` a token of its user's if it needs one; returns when the one it has ends.

    None, and nothing is written, when the account has ended: what is there ends no later.
    """
    if until is not None and until <= now:
        return None
    expires, wanted = read_expiry(token_file(folder, user)), expiry(now, lifetime_seconds, until)
    if expires == wanted or (not due(now, expires, lifetime_seconds) and expires is not None and expires <= wanted):
        return expires
    token = issuer.token(user, wanted, now)
    write(folder, token)
    return token.expires


def token_file(folder: Path, user: str) -> Path:
    """Where the session in `folder` has its user's token; SEC_TOKEN_DIRECTORY is its parent."""
    return folder / "condor" / "tokens.d" / identity(user)


def read_expiry(path: Path) -> int | None:
    """When the token in a file ends, not verified: the file is the user's. None for anything that is no token."""
    try:
        claims = jwt.decode(path.read_text().strip(), options={"verify_signature": False, "verify_exp": False})
        return int(claims["exp"])
    except (OSError, ValueError, KeyError, TypeError, jwt.InvalidTokenError):
        return None


def write(folder: Path, token: Token) -> Path:
    """Put the token into a session's folder, mode 600, whole or not at all.

    The folder lies in the user's home, so each step refuses links (the hub may have rights that he has not), and
    BadRequest says what is in the way.
    """
    target = token_file(folder, token.user)
    try:
        with owned.opened(folder, "condor", "tokens.d") as directory:
            owned.write(directory, target.name, f"{token.text}\n")
    except OSError as error:
        raise BadRequest(f"{target}: {error.strerror}; it must be a file below plain folders of its user") from error
    return target
