"""What follows from what an identity provider says: pure decisions, and the ID token's checks."""

from datetime import UTC, datetime

import jwt
import pytest
from pydantic import ValidationError

from mlinfn_condor.errors import BadRequest, UserError
from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.openid import OpenId, brought_up_to_date, groups_of, person, refusal
from mlinfn_condor.hub.accounts.openid_sign_in import OpenIdAuthenticator
from mlinfn_condor.hub.accounts.provider import NotMeantForUs, Provider, ProviderUnavailable, nonce_of, subject_of
from mlinfn_condor.hub.settings import read

ISSUER = "https://iam.example/"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
NONCE = nonce_of("verifier")
IAM = {"sub": "73f1", "preferred_username": "dora", "groups": ["cms", "ml"], "email": "d@example"}


@pytest.fixture
def settings():
    table = {"ml": "alpha", "atlas": "beta", "cms": ["beta", "alpha"]}
    return OpenId(issuer=ISSUER, client_id="hub", provider="INFN IAM", projects=table, admin_groups=("ops",))


def test_groups_become_projects_in_the_order_of_the_table(settings):
    name, signed_in = person(settings, IAM)
    assert name == "dora"
    assert signed_in == SignIn(subject="https://iam.example#73f1", projects=("alpha", "beta"))


@pytest.mark.parametrize(
    ("groups", "projects", "admin"),
    [([], (), False), (["atlas"], ("beta",), False), (["ops"], (), True), (["ATLAS", "alpha"], (), False)],
)
def test_only_groups_of_the_table_count(settings, groups, projects, admin):
    signed_in = person(settings, IAM | {"groups": groups})[1]
    assert (signed_in.projects, signed_in.admin) == (projects, admin)


@pytest.mark.parametrize(
    ("claims", "path", "groups"),
    [
        ({"groups": ["a", "b"]}, "groups", ["a", "b"]),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
        ({"groups": "admins"}, "groups", []),
        ({"groups": ["a", 7, None, {"name": "b"}]}, "groups", ["a"]),
        ({"groups": {"a": 1}}, "groups", []),
        ({"groups": ["a"]}, "groups.names", []),
        ({}, "groups", []),
    ],
)
def test_groups_are_read_from_a_list_of_texts_and_from_nothing_else(claims, path, groups):
    assert groups_of(claims, path) == groups


EVERY_CHARACTER = "".join(map(chr, range(1, 0x250)))


@pytest.mark.parametrize(
    "name", ["", "Dora", "dora\n", "../dora", "a b", "$(x)", '"', EVERY_CHARACTER, ["dora"], 7, {}]
)
def test_a_name_that_cannot_be_the_pools_is_refused_with_a_sentence(settings, name):
    with pytest.raises(BadRequest, match="cannot be used on this pool"):
        person(settings, IAM | {"preferred_username": name})


@pytest.mark.parametrize("name", ["condor", "admin", "root", "hub", "glidein"])
def test_nobody_signs_in_as_a_role(settings, name):
    with pytest.raises(BadRequest, match="role of this pool"):
        person(settings, IAM | {"preferred_username": name})


@pytest.mark.parametrize("missing", ["sub", "preferred_username"])
def test_a_provider_that_does_not_say_who_it_is_is_refused(settings, missing):
    with pytest.raises(BadRequest, match="did not tell your name"):
        person(settings, {name: value for name, value in IAM.items() if name != missing})


def test_a_name_that_changed_hands_is_refused():
    before = Account(sign_in=SignIn(subject="https://iam.example#1"))
    with pytest.raises(BadRequest, match="belongs to somebody else"):
        brought_up_to_date("dora", SignIn(subject="https://iam.example#2", projects=("alpha",)), before)


def test_what_the_provider_says_now_replaces_what_it_said_and_nothing_else():
    before = Account(projects=("beta",), until=NOON, sign_in=SignIn(subject="i#1", projects=("alpha",), admin=True))
    after = brought_up_to_date("dora", SignIn(subject="i#1"), before)
    assert after == Account(projects=("beta",), until=NOON, sign_in=SignIn(subject="i#1"))


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (Account(sign_in=SignIn(subject="i#1", projects=("alpha",))), None),
        (Account(projects=("alpha",), sign_in=SignIn(subject="i#1")), None),
        (Account(sign_in=SignIn(subject="i#1", admin=True)), None),
        (Account(sign_in=SignIn(subject="i#1")), "in no group that has a project"),
        (Account(projects=("alpha",), until=NOON), "ended on 01 December 2026 at 12:00 UTC"),
    ],
)
def test_a_person_is_let_in_or_told_why_not(account, words):
    said = refusal("dora", account, NOON)
    assert said is None if words is None else words in said


@pytest.mark.parametrize(
    "issuer", ["http://iam.example", "ftp://iam.example", "iam.example", "http://127.0.0.1.evil.example", ""]
)
def test_a_provider_is_spoken_to_over_an_encrypted_line(issuer):
    with pytest.raises(ValidationError, match="https://"):
        OpenId(issuer=issuer, client_id="hub", projects={"ml": "alpha"})


HUB = """
name = "demo"
folder = "/hub"
[tokens]
key_file = "/keys/sessions"
trust_domain = "demo"
[membership]
map_file = "/pool/projects.map"
projects = ["alpha"]
[accounts.openid]
issuer = "https://iam.example/"
client_id = "hub"
[accounts.openid.projects]
"/ml" = "alpha"
cms = ["alpha", "{project}"]
"""


def test_the_table_stands_in_the_hubs_settings(tmp_path):
    (file := tmp_path / "hub.toml").write_text(HUB.format(project="alpha"))
    assert read(file).accounts.openid.projects_of(["/ml"]) == ("alpha",)


def test_the_table_names_projects_that_the_pool_has(tmp_path):
    (file := tmp_path / "hub.toml").write_text(HUB.format(project="gamma"))
    with pytest.raises(BadRequest, match=r"accounts\.openid\.projects: gamma"):
        read(file)


def test_people_without_an_account_are_in_projects_that_the_pool_has(tmp_path):
    (file := tmp_path / "hub.toml").write_text(HUB.format(project="alpha") + '[accounts.members]\nbob = ["gamma"]\n')
    with pytest.raises(BadRequest, match=r"accounts\.members: gamma"):
        read(file)


def id_token(**changes):
    claims = {"iss": ISSUER, "aud": "hub", "sub": "73f1", "nonce": NONCE, "exp": 2_000_000_000} | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, "k" * 32)


@pytest.mark.parametrize("issuer", ["https://iam.example", ISSUER])
def test_an_id_token_of_this_sign_in_names_its_subject(issuer):
    assert subject_of(id_token(), issuer, "hub", NONCE) == "73f1"


@pytest.mark.parametrize(
    "token",
    [
        id_token(nonce=nonce_of("another")),
        id_token(nonce=None),
        id_token(iss="https://evil.example"),
        id_token(aud="another"),
        id_token(exp=1_000_000_000),
        id_token(exp=None),
        id_token(sub=None),
        "no token",
        None,
        {"sub": "73f1"},
    ],
)
def test_any_other_id_token_signs_nobody_in(token):
    with pytest.raises(NotMeantForUs):
        subject_of(token, ISSUER, "hub", NONCE)


METADATA = {
    "issuer": "https://iam.example",
    "authorization_endpoint": "https://iam.example/authorize",
    "token_endpoint": "https://iam.example/token",
    "userinfo_endpoint": "https://iam.example/userinfo",
}


@pytest.mark.parametrize(
    ("methods", "basic"),
    [
        ({}, True),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, False),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"]}, True),
    ],
)
def test_a_provider_tells_where_its_parts_are_and_how_it_wants_the_secret(methods, basic):
    found = Provider.from_metadata(ISSUER, METADATA | methods)
    assert found == Provider(*(f"https://iam.example/{part}" for part in ("authorize", "token", "userinfo")), basic)


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        None,
        METADATA | {"issuer": "https://evil.example"},
        METADATA | {"token_endpoint": "http://iam.example/token"},
        METADATA | {"userinfo_endpoint": None},
    ],
)
def test_a_provider_that_tells_something_else_is_not_believed(told):
    with pytest.raises(ProviderUnavailable, match=r"iam\.example"):
        Provider.from_metadata(ISSUER, told)


def authenticator(settings, tmp_path, **traits):
    return OpenIdAuthenticator(openid=settings, folder=str(tmp_path), **traits)


def test_the_clients_secret_comes_from_a_file_that_nobody_else_can_read(settings, tmp_path):
    (file := tmp_path / "secret").write_text("s3cret\n")
    settings = settings.model_copy(update={"client_secret_file": file})
    file.chmod(0o640)
    with pytest.raises(UserError, match="can be read by others"):
        authenticator(settings, tmp_path)
    file.chmod(0o600)
    assert authenticator(settings, tmp_path).client_secret == "s3cret"
    file.unlink()
    with pytest.raises(UserError, match="client_secret_file"):
        authenticator(settings, tmp_path)


def test_no_configuration_makes_the_hub_keep_the_providers_tokens(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "of-the-environment")
    made = authenticator(settings, tmp_path, enable_auth_state=True, enable_pkce=False)
    assert (made.enable_auth_state, made.enable_pkce, made.client_secret) == (False, True, "")
