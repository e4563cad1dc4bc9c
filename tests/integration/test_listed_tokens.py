"""A pool that believes listed tokens only: it works, and a token that nobody listed opens nothing, signed or not."""

import time
from collections.abc import Iterator

import pytest
from driver import Driver
from test_forged_tokens import decoded, encoded, tried

from mlinfn_condor.embedded import lifecycle, signing
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.servers import SERVER2
from mlinfn_condor.settings import Settings

LEVELS = ("READ", "WRITE", "ADMINISTRATOR", "DAEMON")
ROLES = ("bob", "admin", "condor", "hub", "glidein")


@pytest.fixture(scope="module")
def strict(pool_home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    settings = Settings(home=pool_home, pool="strict")
    overrides = "MLINFN_BELIEVE_LISTED_TOKENS_ONLY = true\n"
    pool = lifecycle.up(settings, blueprint=Blueprint(nodes=(SERVER2,), overrides=overrides))
    yield Driver(pool, tmp_path_factory.mktemp("strict"))
    lifecycle.down(settings, graceful_seconds=0)


def test_it_works(strict):
    (job,) = strict.submit(run_seconds=1)
    job.wait_for("finished", 60)
    assert strict.run("condor_userprio", "-allusers").returncode == 0
    assert strict.run("condor_status", "-any").returncode == 0


def test_no_ad_tells_a_seal(strict):
    (job,) = strict.submit(run_seconds=300)
    job.wait_for("computing", 60)
    told = strict.run("condor_q", "-name", "batch@", "-all", "-long", user="bob").stdout
    told += strict.run("condor_status", "-any", "-long", user="bob").stdout
    told += strict.run("condor_history", "-name", "batch@", "-long", user="bob").stdout
    assert 'Owner = "alice"' in told
    seals = [line.split()[1] for line in strict.pool.layout.token_list.read_text().splitlines()]
    assert len(seals) >= 6
    assert [one for one in seals if one in told] == []


@pytest.mark.parametrize("name", ROLES)
def test_a_token_that_nobody_signed_opens_nothing(strict, name):
    mine = decoded((strict.pool.layout.tokens_of("alice") / "alice").read_text().split(".")[1])
    for seal in ({}, {signing.SEAL: "0" * 32}, {signing.SEAL: mine[signing.SEAL]}):
        claims = {"iss": "strict", "sub": f"{name}@strict", "iat": int(time.time()), "jti": "1", **seal}
        forged = f"{encoded({'alg': 'HS256', 'kid': 'POOL'})}.{encoded(claims)}.{'A' * 43}"
        for level in LEVELS:
            assert "@strict" not in tried(strict, forged, level).stdout


def test_a_token_that_is_signed_and_not_listed_opens_nothing(strict):
    key = strict.pool.layout.signing_key.with_name("sessions")
    signed = signing.signed(key, "strict", "alice", int(time.time()))
    assert "@strict" not in tried(strict, signed, "READ").stdout
    listed = signing.signed(strict.pool.layout.signing_key, "strict", "alice", int(time.time()))
    assert "alice@strict" in tried(strict, listed, "READ").stdout
