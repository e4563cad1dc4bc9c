"""Somebody who has a token of his own and writes himself a better one, before real daemons."""

import base64
import json
import subprocess
import time
from collections.abc import Mapping

import pytest
from driver import Driver

from mlinfn_condor.embedded.lifecycle import RunningPool

CLAIMS = {
    "another's name": {"sub": "bob@bare"},
    "the administrator's": {"sub": "admin@bare"},
    "the daemons'": {"sub": "condor@bare"},
    "the hub's": {"sub": "hub@bare"},
    "more rights": {"scope": "condor:/ADMINISTRATOR condor:/DAEMON condor:/WRITE condor:/READ"},
    "no end": {"exp": 2**31},
    "a time before he left": {"iat": 2**31},
}
HEADERS = {
    "a file of his choice as the key": {"kid": "../../../../../../etc/hostname"},
    "an empty key": {"kid": ""},
    "a key that is none": {"kid": "projects.map"},
}


@pytest.fixture(scope="module")
def bare(bare_pool: RunningPool, tmp_path_factory: pytest.TempPathFactory) -> Driver:
    """No job ever gets into the queue here, so none has to be cleared away."""
    return Driver(bare_pool, tmp_path_factory.mktemp("forged"))


def own_token(bare: Driver) -> tuple[dict, dict, str]:
    """Header, claims and signature of alice's token."""
    header, claims, signature = (bare.pool.layout.tokens_of("alice") / "alice").read_text().strip().split(".")
    return decoded(header), decoded(claims), signature


def decoded(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(told: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


def tried(bare: Driver, token: str, level: str) -> subprocess.CompletedProcess[str]:
    """What `batch@` says to somebody who has this token, and neither a key nor another token."""
    folder = bare.folder / "tokens"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "forged").write_text(f"{token}\n")
    (folder / "forged").chmod(0o600)
    nothing = bare.folder / "nothing"
    nothing.mkdir(exist_ok=True)
    places = ("TOKEN_SYSTEM_DIRECTORY", "PASSWORD_DIRECTORY", "TOKEN_POOL_SIGNING_KEY_FILE")
    his = {f"_CONDOR_SEC_{place}": str(nothing) for place in places} | {"_CONDOR_SEC_TOKEN_DIRECTORY": str(folder)}
    command = ["condor_ping", "-type", "schedd", "-name", "batch@", "-table", level]
    environment = {**bare.pool.environment("alice"), **his}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_his_own_token_works(bare):
    """What makes the refusals below mean something."""
    header, claims, signature = own_token(bare)
    for level in ("READ", "WRITE"):
        done = tried(bare, f"{encoded(header)}.{encoded(claims)}.{signature}", level)
        assert "alice@bare" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("what", CLAIMS)
def test_a_token_in_which_he_changed_something_is_none(bare, what):
    header, claims, signature = own_token(bare)
    changed = f"{encoded(header)}.{encoded({**claims, **CLAIMS[what]})}.{signature}"
    for level in ("READ", "WRITE", "ADMINISTRATOR"):
        done = tried(bare, changed, level)
        assert "@bare" not in done.stdout, done.stdout


@pytest.mark.parametrize("what", HEADERS)
def test_a_token_that_names_a_key_of_his_choice_is_none(bare, what):
    header, claims, signature = own_token(bare)
    for sealed in (signature, ""):
        claims |= {"sub": "bob@bare", "iat": int(time.time())}
        done = tried(bare, f"{encoded({**header, **HEADERS[what]})}.{encoded(claims)}.{sealed}", "READ")
        assert "@bare" not in done.stdout, done.stdout
