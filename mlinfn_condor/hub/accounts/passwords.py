"""Passwords of local accounts: salted scrypt hashes, and readable random ones for new accounts."""

import base64
import binascii
import hashlib
import hmac
import secrets

N, R, P = 2**14, 8, 1
"""Cost of one check: 16 MiB and about 50 ms."""
SALT_BYTES = 16
GROUPS, SYLLABLES = 4, 2
"""Of a made password: 8 syllables of 80 possible ones, 50 bits."""
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeiou"


def hashed(password: str, salt: bytes | None = None) -> str:
    """`scrypt$n$r$p$salt$hash`: with its own numbers, so that they can be raised later."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    return "$".join(["scrypt", *map(str, (N, R, P)), *map(_text, (salt, _derive(password, salt, N, R, P)))])


UNKNOWN = f"scrypt${N}${R}${P}$AAAAAAAAAAAAAAAAAAAAAA==$AA=="
"""Checked for names without a password, so that an answer takes as long as for those with one."""


def fits(password: str, stored: str | None) -> bool:
    """Whether this is the password; takes as long for an account that has none."""
    try:
        _, n, r, p, salt, expected = (stored or UNKNOWN).split("$")
        derived = _derive(password, base64.b64decode(salt), int(n), int(r), int(p))
        same = hmac.compare_digest(derived, base64.b64decode(expected))
    except (ValueError, binascii.Error):
        return False
    return same and stored is not None


def readable() -> str:
    """A password that a person can read aloud: `tavo-rimi-kelu-sano`."""
    syllables = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(GROUPS * SYLLABLES)]
    return "-".join("".join(syllables[at : at + SYLLABLES]) for at in range(0, len(syllables), SYLLABLES))


def _derive(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(errors="surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=64 * 1024**2)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
