"""Keys and tokens of an embedded pool: made once, mode 600, below a folder of mode 700, never printed."""

import os
import secrets
import time
from pathlib import Path

from mlinfn_condor.embedded import signing
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR, GLIDEIN, HUB, Blueprint
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.errors import EmbeddedPoolError

KEY_BYTES = 64


def ensure(layout: Layout, blueprint: Blueprint, distribution: Distribution) -> None:
    """The signing keys, the daemons' token, and a token for each identity; what exists stays as it is."""
    for key in (layout.signing_key, layout.session_signing_key):
        if not key.exists():
            write_private(key, secrets.token_bytes(KEY_BYTES))
    issue(layout, distribution, "condor", layout.daemon_tokens)
    issue(layout, distribution, GLIDEIN, layout.glidein_tokens)
    for user in blueprint.people:
        issue(layout, distribution, user, layout.tokens_of(user))
    for role in (ADMINISTRATOR, HUB):
        issue(layout, distribution, role, layout.tokens_of(role))
    folder = layout.signing_key.parent
    tokens = (path for path in sorted(folder.parent.glob("**/*")) if path.is_file() and path.parent != folder)
    lines = dict.fromkeys(signing.listed(path.read_text()) for path in tokens)
    write_private(layout.token_list, "".join(lines).encode())


def issue(layout: Layout, distribution: Distribution, identity: str, folder: Path) -> Path:
    """A token for `identity@<pool>` in `folder`, unless one is there."""
    path = folder / identity
    if not path.exists():
        try:
            made = signing.signed(layout.signing_key, layout.folder.name, identity, int(time.time()))
        except OSError as error:
            raise EmbeddedPoolError(f"no token for {identity}: {layout.signing_key}: {error.strerror}") from error
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, f"{made}\n".encode())
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else could read at any moment, and that is whole or absent."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.rename(path)
