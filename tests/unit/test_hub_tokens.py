"""Tokens for people: who gets which, when it ends, where it lies."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mlinfn_condor.embedded import signing
from mlinfn_condor.errors import BadRequest, PoolUnavailable
from mlinfn_condor.hub.tokens import Issuer, due, expiry, read_expiry, renew, token_file, write

NOW = 1_800_000_000
HOUR = 3600


@pytest.fixture
def issuer(tmp_path):
    (key := tmp_path / "sessions").write_bytes(bytes(range(64)))
    return Issuer(key, "pool.example")


@pytest.fixture
def folder(tmp_path):
    (made := tmp_path / "session").mkdir(mode=0o700)
    return made


def claims(text):
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in text.split(".")[:2]]


def test_a_token_names_its_user_its_rights_and_its_end(issuer):
    header, payload = claims(issuer.token("alice", NOW + HOUR, NOW).text)
    assert header == {"alg": "HS256", "kid": "sessions"}
    assert payload.pop("jti")
    assert payload.pop(signing.SEAL) == issuer.listed("alice").split()[1]
    assert payload == {
        "iss": "pool.example",
        "sub": "alice@pool.example",
        "scope": "condor:/READ condor:/WRITE",
        "iat": NOW,
        "exp": NOW + HOUR,
    }


def test_each_token_has_an_id_of_its_own(issuer):
    assert issuer.token("alice", NOW + HOUR, NOW).id != issuer.token("alice", NOW + HOUR, NOW).id


def test_a_token_does_not_show_its_text(issuer):
    token = issuer.token("alice", NOW + HOUR, NOW)
    assert token.text not in repr(token)


@pytest.mark.parametrize(
    "name",
    ["condor", "admin", "hub", "glidein", "schedules", "reader", "root", "", "Alice", "../alice", "a@b", "a" * 33],
)
def test_nobody_gets_a_token_of_a_role_or_of_no_identity(issuer, name):
    with pytest.raises(BadRequest):
        issuer.token(name, NOW + HOUR, NOW)


def test_a_pool_without_the_key_says_so(tmp_path):
    with pytest.raises(PoolUnavailable, match="sessions"):
        Issuer(tmp_path / "sessions", "pool.example").token("alice", NOW + HOUR, NOW)


def test_each_person_has_a_seal_of_his_own_that_all_his_tokens_bear(issuer):
    seals = [claims(issuer.token(name, NOW + HOUR, NOW).text)[1][signing.SEAL] for name in ("alice", "alice", "bob")]
    assert seals[0] == seals[1] != seals[2]


@pytest.mark.parametrize("name", ["POOL", "sessions"])
def test_the_key_is_derived_and_the_signature_made_as_the_standards_have_them(tmp_path, name):
    (file := tmp_path / name).write_bytes(b"stored key")
    plain = bytes(a ^ b for a, b in zip(b"stored key", b"\xde\xad\xbe\xef" * 3, strict=False))
    derived = HKDF(SHA256(), length=32, salt=b"htcondor", info=b"master jwt").derive(
        plain * (2 if name == "POOL" else 1)
    )
    read = jwt.decode(
        signing.signed(file, "pool", "alice", NOW), derived, algorithms=["HS256"], options={"verify_iat": False}
    )
    assert (read["sub"], read["iss"]) == ("alice@pool", "pool")


def test_only_the_key_of_the_pool_is_doubled():
    assert signing.signing_key(b"key", is_pool_key=True) != signing.signing_key(b"key", is_pool_key=False)


@pytest.mark.parametrize(
    ("until", "ends"),
    [(None, NOW + HOUR), (NOW + 2 * HOUR, NOW + HOUR), (NOW + 60.7, NOW + 60)],
)
def test_a_token_ends_no_later_than_the_account(until, ends):
    assert expiry(NOW, HOUR, until) == ends


@pytest.mark.parametrize(
    ("expires", "wanted"),
    [
        (NOW + HOUR, False),
        (NOW + HOUR // 2 + 1, False),
        (NOW + HOUR // 2, True),
        (NOW - 1, True),
        (None, True),
        (NOW + HOUR + 1, True),
    ],
)
def test_a_token_is_renewed_at_half_its_life_or_when_it_is_not_ours(expires, wanted):
    assert due(NOW, expires, HOUR) is wanted


def test_a_token_lies_where_only_its_user_can_read_it(issuer, folder):
    path = write(folder, issuer.token("alice", NOW + HOUR, NOW))
    assert path == folder / "condor" / "tokens.d" / "alice"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [each.name for each in path.parent.iterdir()] == ["alice"]


def test_renewing_writes_only_when_it_is_due(issuer, folder):
    assert renew(folder, issuer, "alice", NOW) == NOW + HOUR
    first = token_file(folder, "alice").read_text()
    assert renew(folder, issuer, "alice", NOW + 60) == NOW + HOUR
    assert token_file(folder, "alice").read_text() == first
    assert renew(folder, issuer, "alice", NOW + HOUR // 2) == NOW + HOUR // 2 + HOUR
    assert token_file(folder, "alice").read_text() != first


def test_a_last_token_is_not_written_again_and_again(issuer, folder):
    renew(folder, issuer, "alice", NOW, until=NOW + 60.5)
    last = token_file(folder, "alice").read_text()
    assert renew(folder, issuer, "alice", NOW + 59, until=NOW + 60.5) == NOW + 60
    assert token_file(folder, "alice").read_text() == last


def test_an_account_that_has_ended_gets_no_token(issuer, folder):
    assert renew(folder, issuer, "alice", NOW, until=NOW) is None
    assert not token_file(folder, "alice").exists()


def test_an_account_shortened_gets_a_token_that_ends_with_it(issuer, folder):
    renew(folder, issuer, "alice", NOW)
    assert renew(folder, issuer, "alice", NOW + 1, until=NOW + 600) == NOW + 600


@pytest.mark.parametrize("content", ["", "no token", "a.b.c", jwt.encode({"exp": "soon"}, "k" * 32, algorithm="HS256")])
def test_a_file_that_is_no_token_is_replaced(issuer, folder, content):
    path = write(folder, issuer.token("alice", NOW + HOUR, NOW))
    path.write_text(content)
    assert read_expiry(path) is None
    renew(folder, issuer, "alice", NOW)
    assert read_expiry(path) == NOW + HOUR


@pytest.mark.parametrize("where", ["condor", "condor/tokens.d"])
def test_no_link_of_the_user_leads_a_token_elsewhere(issuer, folder, tmp_path, where):
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (link := folder / where).parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    with pytest.raises(BadRequest, match=r"tokens\.d/alice"):
        write(folder, issuer.token("alice", NOW + HOUR, NOW))
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_the_place_of_the_token_is_replaced_and_not_followed(issuer, folder, tmp_path):
    (victim := tmp_path / "victim").write_text("untouched")
    path = token_file(folder, "alice")
    path.parent.mkdir(parents=True)
    path.symlink_to(victim)
    write(folder, issuer.token("alice", NOW + HOUR, NOW))
    assert victim.read_text() == "untouched"
    assert not path.is_symlink()
