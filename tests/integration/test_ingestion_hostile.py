"""Hundreds of requests that must not come to anything: each is refused with its status, and nothing is written."""

from pathlib import Path

from fronts import front
from postgres import fresh_database

from mlinfn_condor.bench.census import census, differences
from mlinfn_condor.bench.hostile import attacks, sent
from mlinfn_condor.bench.instruments import declared, provider, site_file
from mlinfn_condor.store import connect
from mlinfn_condor.store.local import LocalServer


def test_nothing_hostile_is_taken(postgres: LocalServer, tmp_path: Path) -> None:
    with provider() as of_tokens, fresh_database(postgres) as dsn:
        settings = declared(dsn, site_file(tmp_path, of_tokens.issuer))
        with front(settings, dsn) as address, connect(dsn, autocommit=True) as owner:
            before = census(owner)
            tried = attacks(of_tokens)
            assert len(tried) >= 500
            told = [(attack.name, sent(address, attack), attack.refused) for attack in tried]
            assert [(name, status) for name, status, refused in told if status not in refused] == []
            assert differences(before, census(owner)) == []
