"""HTCondor's IDTOKENs, signed in this process with what Python has: as `condor_token_create` does, and with a seal.

The seal is a claim that HTCondor itself ignores: a secret of the token's holder, which a pool may demand (15 in
condor_config.d). Unlike the token's id it is in no ad.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

POOL_KEY = "POOL"
SEAL = "mlinfn_seal"
_SCRAMBLE = b"\xde\xad\xbe\xef"
_PARTS = 3


def signing_key(stored: bytes, *, is_pool_key: bool, info: bytes = b"master jwt") -> bytes:
    """The HS256 key behind a key file: unscrambled, the POOL's doubled, and derived (condor_auth_passwd.cpp)."""
    plain = bytes(byte ^ _SCRAMBLE[index % len(_SCRAMBLE)] for index, byte in enumerate(stored))
    extracted = hmac.digest(b"htcondor", plain * 2 if is_pool_key else plain, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)  # HKDF; 32 bytes are its first block


def key_of(file: Path, info: bytes = b"master jwt") -> bytes:
    """Of a file in the pool's SEC_PASSWORD_DIRECTORY. Raises OSError."""
    return signing_key(file.read_bytes(), is_pool_key=file.name == POOL_KEY, info=info)


def seal_of(file: Path, name: str) -> str:
    """The seal of everybody's tokens that are signed with this key: the same for each token of his. Raises OSError."""
    return hmac.new(key_of(file, b"mlinfn seal"), name.encode(), hashlib.sha256).hexdigest()[:32]


def signed(file: Path, domain: str, name: str, now: int, claims: Mapping[str, object] | None = None) -> str:
    """A token of `name`, without an end unless the claims have one. Raises OSError."""
    header = {"alg": "HS256", "kid": file.name}
    payload = {
        "iat": now,
        "iss": domain,
        "jti": secrets.token_hex(16),
        SEAL: seal_of(file, name),
        "sub": f"{name}@{domain}",
        **(claims or {}),
    }
    text = f"{_encoded(header)}.{_encoded(payload)}"
    return f"{text}.{_base64(hmac.digest(key_of(file), text.encode(), hashlib.sha256))}"


def listed(token: str) -> str:
    """The line of a token in the policy's list; nothing for what is no token with a seal."""
    parts = token.strip().split(".")
    if len(parts) != _PARTS:
        return ""
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    return line(claims[SEAL], claims["sub"].partition("@")[0]) if SEAL in claims else ""


def line(seal: str, name: str) -> str:
    """Of the list."""
    return f"* {seal} {name}\n"


def _encoded(told: Mapping[str, object]) -> str:
    return _base64(json.dumps(told, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
