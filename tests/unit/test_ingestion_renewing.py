"""The provider's keys in PostgREST's file: written when they change, told until heard of, kept while it is away."""

import json
from pathlib import Path
from threading import Event

import pytest

from mlinfn_condor.ingestion import renewing
from mlinfn_condor.ingestion.provider import WELL_KNOWN, ProviderAway, published
from mlinfn_condor.store import StoreUnreachable

ISSUER = "https://iam.example.org"
FIRST = {"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}
SECOND = {"kty": "EC", "kid": "2", "crv": "P-256", "x": "AQ", "y": "AQ", "use": "sig"}


class Provider:
    """Answers as told."""

    def __init__(self, *keys: object) -> None:
        self.keys: object = list(keys)
        self.away = False
        self.discovery: object = {"issuer": f"{ISSUER}/", "jwks_uri": f"{ISSUER}/jwks"}

    def __call__(self, address: str) -> object:
        if self.away:
            raise OSError("no route")
        return self.discovery if address == ISSUER + WELL_KNOWN else {"keys": self.keys}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def kids(file: Path) -> list[str]:
    return [key["kid"] for key in json.loads(file.read_text())["keys"]]


def test_it_has_those_that_sign_and_no_secret_ones(file):
    provider = Provider(FIRST, {"kty": "oct", "kid": "3", "k": "c2VjcmV0"}, SECOND | {"use": "enc"}, "nonsense", SECOND)
    assert renewing.renew(ISSUER, file, provider)
    assert kids(file) == ["1", "2"]
    assert file.stat().st_mode & 0o777 == 0o644


def test_it_is_written_when_they_change_and_not_otherwise(file):
    provider = Provider(FIRST)
    assert renewing.renew(ISSUER, file, provider)
    before = file.stat().st_ino
    assert not renewing.renew(ISSUER, file, provider)
    assert file.stat().st_ino == before
    provider.keys = [FIRST, SECOND]
    assert renewing.renew(ISSUER, file, provider)
    assert kids(file) == ["1", "2"]


def test_what_is_no_answer_of_the_provider_changes_nothing(file):
    provider = Provider(FIRST)
    renewing.renew(ISSUER, file, provider)
    provider.keys = []
    assert not renewing.renew(ISSUER, file, provider)
    for discovery in ({"issuer": "https://other"}, {"issuer": ISSUER, "jwks_uri": "http://iam.example.org/jwks"}, 5):
        provider.discovery = discovery
        with pytest.raises(ProviderAway):
            renewing.renew(ISSUER, file, provider)
    assert kids(file) == ["1"]


def test_whoever_serves_is_told_until_he_has_heard_and_a_provider_that_is_away_is_said_once(file, monkeypatch):
    monkeypatch.setattr(renewing, "OLD_SECONDS", 0)
    monkeypatch.setattr(renewing, "AGAIN_SECONDS", 0)
    provider, stop, said, heard = Provider(FIRST), Event(), [], []
    script = iter(["deaf", "hears", "away", "away", "new", "end"])

    def step() -> None:
        match next(script):
            case "away":
                provider.away = True
            case "new":
                provider.away, provider.keys = False, [SECOND]
            case "end":
                stop.set()

    def told() -> None:
        if len(heard) == 0:
            heard.append("deaf")
            raise StoreUnreachable("no way into the database")
        heard.append(kids(file)[0])

    def fetch(address: str) -> object:
        if address.endswith(WELL_KNOWN):
            step()
        return provider(address)

    renewing.run(ISSUER, file, told, stop, fetch=fetch, say=said.append)
    assert heard == ["deaf", "1", "2"]
    assert len(said) == 2, "the database, then the provider, once each"
    assert "no route" in said[1]


def test_a_key_of_the_same_provider_is_known_by_both_ways():
    assert published(ISSUER, Provider(FIRST)) == [FIRST]
