"""The first secrets of a site: keys and passwords made here, tokens signed with them. None is printed or replaced."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.embedded.signing import POOL_KEY, listed
from mlinfn_condor.errors import UserError
from mlinfn_condor.hub.tokens import signed
from mlinfn_condor.site.addresses import ROLES
from mlinfn_condor.site.condor import SCHEDULES
from mlinfn_condor.site.references import DATABASE_PASSWORDS
from mlinfn_condor.site.settings import Site

KEY_BYTES = 64
SESSION_KEY = "sessions"
READER = "reader"
"""Identity of recorders and metrics: it may read, as anybody of the pool."""
TOKENS = {
    "mlinfn-daemon-token": "condor",
    "mlinfn-hub-token": "hub",
    "mlinfn-administrator-token": "admin",
    "mlinfn-schedules-token": SCHEDULES,
    "mlinfn-reader-token": READER,
    "mlinfn-glidein-token": "glidein",
}
"""Secret → identity; its one key is called like the identity."""
WINDOW = "mlinfn-window-token"
"""By what the hub knows the window on the pool."""
TOKEN_LIST = "mlinfn-token-list"  # noqa: S105 - a name
"""Which of these tokens the pool believes (MLINFN_TOKEN_LIST): it follows from them, so it is always written anew."""
YEARS = 10 * 366 * 86400
APPLY = "create"
_SCRIPT = """\
#!/bin/sh
# Written by `mlinfn site secrets`: makes the Secrets of site {name} from the files beside it; what is there stays.
# Keep this folder where only you can read it: whoever has it has the pool. It is needed for a restore.
set -u
cd "$(dirname "$0")"
for secret in {names}; do
    kubectl --namespace {namespace} get secret "$secret" >/dev/null 2>&1 && echo "$secret is there already" && continue
    kubectl --namespace {namespace} create secret generic "$secret" --from-file="$secret" || exit 1
done
# Which of the tokens count follows from the tokens: this one is replaced.
kubectl --namespace {namespace} create secret generic {token_list} --from-file={token_list} --dry-run=client -o yaml |
    kubectl --namespace {namespace} apply --filename=- || exit 1
{later}"""


def make(site: Site, folder: Path) -> list[str]:
    """Write a folder for each Secret, its keys as files of mode 600, and a script; returns the names of what is new.

    What exists stays as it is, so that this can be run again after an upgrade. Raises UserError.
    """
    new = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for name, keys in _secrets(site, folder):
            for key, content in keys.items():
                path = folder / name / key
                if not path.exists():
                    path.parent.mkdir(mode=0o700, exist_ok=True)
                    write_private(path, content())
                    new.append(f"{name}/{key}")
        _list_tokens(folder)
        script = folder / APPLY
        write_private(script, _script(site).encode())
        script.chmod(0o700)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: {error.strerror}") from error
    return new


def names() -> list[str]:
    """Every Secret that is made here and stays; the list of tokens is beside them."""
    return ["mlinfn-pool-keys", "mlinfn-session-key", *TOKENS, "mlinfn-proxy", WINDOW, DATABASE_PASSWORDS]


def _secrets(site: Site, folder: Path) -> Iterator[tuple[str, Mapping[str, Callable[[], bytes]]]]:
    def key() -> bytes:
        return secrets.token_bytes(KEY_BYTES)

    yield "mlinfn-session-key", {SESSION_KEY: key}
    # Daemons know both keys, the hub only its own.
    session_key = folder / "mlinfn-session-key" / SESSION_KEY
    yield "mlinfn-pool-keys", {POOL_KEY: key, SESSION_KEY: session_key.read_bytes}
    pool_key = folder / "mlinfn-pool-keys" / POOL_KEY
    for name, identity in TOKENS.items():
        yield name, {identity: partial(_token, pool_key, site.hosts.domain, identity)}
    for name in ("mlinfn-proxy", WINDOW):
        yield name, {"token": lambda: secrets.token_hex(32).encode()}
    yield DATABASE_PASSWORDS, _database(folder / DATABASE_PASSWORDS)


def _list_tokens(folder: Path) -> None:
    """Raises UserError for a token that no list can name."""
    lines = []
    for token in (folder / name / identity for name, identity in TOKENS.items()):
        if not (line := listed(token.read_text())):
            raise UserError(f"{token} has no seal: remove it, and its Secret, and run this again to have a new one")
        lines.append(line)
    file = folder / TOKEN_LIST / "tokens.map"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    before = file.read_text().splitlines(keepends=True) if file.exists() else []
    # Those that `mlinfn identity token` added for people and other roles stay.
    lines += [line for line in before if line.split()[-1] not in TOKENS.values()]
    write_private(file, "".join(lines).encode())


def _token(key: Path, domain: str, identity: str) -> bytes:
    now = int(time.time())
    return signed(key, domain, identity, now + YEARS, now).encode()


def _database(folder: Path) -> Mapping[str, Callable[[], bytes]]:
    """Lines of ~/.pgpass, and the owner's password alone, as the server's image wants it."""
    lines: dict[str, Callable[[], bytes]] = {role: partial(_pgpass, role) for role in ROLES}
    return lines | {"owner-password": lambda: (folder / "owner").read_bytes().rpartition(b":")[2].strip()}


def _pgpass(role: str) -> bytes:
    return f"*:*:*:mlinfn_{role}:{secrets.token_hex(24)}\n".encode()


def _script(site: Site) -> str:
    given = {
        secret: why
        for secret, why in (
            (site.identity.openid.client_secret if site.identity.openid else None, "secret of the identity provider"),
            (site.kubernetes.images.pull_secret, "who you are to the registry"),
            (
                site.kubernetes.tls_secret if site.kubernetes.ingress_class else None,
                f"certificate of {site.hosts.public}",
            ),
            (
                site.kubernetes.data_tls_secret
                if site.offers_rest and site.hosts.data and site.kubernetes.ingress_class
                else None,
                f"certificate of {site.hosts.data}",
            ),
            (
                site.database.rest_keys if site.offers_rest and not site.ingestion else None,
                "keys of those who sign tokens for schemas of the database",
            ),
            (site.backup and site.backup.credentials, "keys of the server of backups, as ~/.aws/credentials"),
            (site.backup and site.backup.certificate, "authority of the server of backups"),
            (site.backup and site.backup.password, "with what backups are encrypted: keep it elsewhere too"),
        )
        if secret
    }
    later = "".join(f"echo 'yours to make: Secret {secret}: {why}'\n" for secret, why in given.items())
    return _SCRIPT.format(
        name=site.name,
        namespace=site.kubernetes.namespace,
        names=" ".join(names()),
        token_list=TOKEN_LIST,
        later=later,
    )
