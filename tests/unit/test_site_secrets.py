"""The first secrets of a site: complete, private, never replaced, never shown; and the script that applies them."""

import subprocess
from pathlib import Path

import jwt
import manifest_policies as policies
import pytest
import yaml
from test_site_file import EXAMPLE
from typer.testing import CliRunner

from mlinfn_condor.cli.main import app
from mlinfn_condor.embedded.signing import SEAL, signing_key
from mlinfn_condor.errors import UserError
from mlinfn_condor.identity.names import ROLES
from mlinfn_condor.site.secrets import TOKEN_LIST, TOKENS, make, names
from mlinfn_condor.site.settings import parse


@pytest.fixture
def made(tmp_path) -> Path:
    make(parse(EXAMPLE, "mlinfn.toml"), tmp_path / "secrets")
    return tmp_path / "secrets"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_no_person_can_be_called_like_an_identity_that_has_a_token_here():
    assert set(TOKENS.values()) <= ROLES


def test_only_the_owner_can_read_them(made):
    assert {path.stat().st_mode & 0o077 for path in [made, *made.rglob("*")]} == {0}


def test_made_again_nothing_is_replaced_and_what_went_missing_comes_back(made):
    before = files(made)
    (made / "mlinfn-hub-token" / "hub").unlink()
    assert make(parse(EXAMPLE, "mlinfn.toml"), made) == ["mlinfn-hub-token/hub"]
    after = files(made)
    assert {name for name in before if before[name] != after[name]} == {"mlinfn-hub-token/hub"}


def test_tokens_name_their_identity_and_are_signed_with_the_pools_key(made):
    key = signing_key((made / "mlinfn-pool-keys" / "POOL").read_bytes(), is_pool_key=True)
    for secret, identity in TOKENS.items():
        told = jwt.decode((made / secret / identity).read_bytes(), key, algorithms=["HS256"])
        assert told["sub"] == f"{identity}@ml.example.org"
    assert (made / "mlinfn-session-key" / "sessions").read_bytes() == (
        made / "mlinfn-pool-keys" / "sessions"
    ).read_bytes()


def test_the_list_names_the_seal_of_each_token_and_follows_them(made):
    site = parse(EXAMPLE, "mlinfn.toml")
    file = made / TOKEN_LIST / "tokens.map"
    told = {line.split()[2]: line.split()[1] for line in file.read_text().splitlines()}
    assert told.keys() == set(TOKENS.values())
    for secret, identity in TOKENS.items():
        claims = jwt.decode((made / secret / identity).read_bytes(), options={"verify_signature": False})
        assert claims[SEAL] == told[identity]
    # One that an administrator made for somebody stays; a new key of the pool makes new seals of all the others.
    file.write_text(f"{file.read_text()}* {'5' * 32} erin\n")
    (made / "mlinfn-pool-keys" / "POOL").unlink()
    for secret, identity in TOKENS.items():
        (made / secret / identity).unlink()
    make(site, made)
    after = {line.split()[2]: line.split()[1] for line in file.read_text().splitlines()}
    assert after.pop("erin") == "5" * 32
    assert after.keys() == told.keys()
    assert not set(after.values()) & set(told.values())


def test_a_token_that_no_list_can_name_is_said(made):
    key = signing_key((made / "mlinfn-pool-keys" / "POOL").read_bytes(), is_pool_key=True)
    (made / "mlinfn-hub-token" / "hub").write_text(jwt.encode({"sub": "hub@ml.example.org"}, key, algorithm="HS256"))
    with pytest.raises(UserError, match=r"mlinfn-hub-token/hub has no seal: remove it"):
        make(parse(EXAMPLE, "mlinfn.toml"), made)


def test_passwords_are_lines_that_libpq_reads_and_the_owners_is_the_same_in_both_forms(made):
    line = (made / "mlinfn-database" / "owner").read_text()
    assert line.startswith("*:*:*:mlinfn_owner:")
    assert line.strip().endswith(":" + (made / "mlinfn-database" / "owner-password").read_text())


def test_whatever_the_manifests_mount_is_made_or_is_said_to_be_the_sites(made):
    told = (made / "create").read_text()
    wanted = {
        volume["secret"]["secretName"]
        for path in policies.MANIFESTS.rglob("*.yaml")
        for each in yaml.safe_load_all(path.read_text())
        if each and each["kind"] in policies.WORKLOADS
        for volume in each["spec"]["template"]["spec"].get("volumes", [])
        if "secret" in volume
    }
    assert wanted - {"mlinfn-rest"} <= {*names(), TOKEN_LIST}
    assert "mlinfn-openid" in told
    assert "mlinfn-tls" in told


def test_the_script_makes_what_is_missing_and_leaves_the_rest(made, tmp_path):
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\ncase "$*" in *"get secret mlinfn-proxy") ;; *get*) exit 1 ;; esac\n'
    )
    kubectl.chmod(0o700)
    done = subprocess.run(
        [made / "create"], env={"PATH": f"{kubectl.parent}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text()
    assert "apply --filename=-" in asked
    assert "create secret generic mlinfn-proxy" not in asked
    assert "--namespace mlinfn create secret generic mlinfn-pool-keys --from-file=mlinfn-pool-keys" in asked


def test_the_command_shows_no_secret(tmp_path):
    (tmp_path / "mlinfn.toml").write_text(EXAMPLE)
    told = CliRunner().invoke(app, ["site", "secrets", str(tmp_path / "mlinfn.toml"), "--output", str(tmp_path / "s")])
    assert told.exit_code == 0, told.output
    for content in files(tmp_path / "s").values():
        assert content.decode(errors="ignore")[:30] not in told.output or len(content) < 20
