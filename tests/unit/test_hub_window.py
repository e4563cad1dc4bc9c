"""How hub and window find each other: the hub starts it, or knows one that runs elsewhere by a secret of both."""

from pathlib import Path

import pytest

from mlinfn_condor.errors import UserError
from mlinfn_condor.hub import window
from mlinfn_condor.hub.accounts.service import service as accounts
from mlinfn_condor.hub.settings import Addresses
from mlinfn_condor.web.hub_door import HubDoor, of_hub


@pytest.fixture
def token(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("shared-with-the-hub\n")
    return tmp_path / "token"


def test_one_that_runs_elsewhere_has_a_token_of_both_and_is_not_started(token):
    entry = window.service(Path("hub.toml"), "http://web:8010", token)
    assert (entry["url"], entry["api_token"]) == ("http://web:8010", "shared-with-the-hub")
    assert "command" not in entry
    own = window.service(Path("hub.toml"), "https://127.0.0.1:9")
    assert "hub.toml" in own["command"]
    assert "api_token" not in own
    shared = {"name", "oauth_no_confirm", "oauth_client_allowed_scopes", "display"}
    assert {key: entry[key] for key in shared} == {key: own[key] for key in shared}


def test_a_token_that_cannot_be_read_is_said(tmp_path):
    with pytest.raises(UserError, match=r"the window's token: .*/none: No such file"):
        window.service(Path("hub.toml"), "http://web:8010", tmp_path / "none")


def test_only_one_that_the_hub_starts_has_a_certificate_of_its(token):
    assert Addresses(web="http://127.0.0.1:9").web_url == "https://127.0.0.1:9"
    assert Addresses(web="http://web:8010", web_token_file=token).web_url == "http://web:8010"
    assert Addresses().web_url == ""


def test_it_asks_the_hub_through_the_proxy_and_lies_where_the_hub_offers_it():
    auth = of_hub("http://proxy:8000/", "shared-with-the-hub")
    door = HubDoor(auth)
    assert auth.api_url == "http://proxy:8000/hub/api"
    assert (auth.oauth_client_id, auth.api_token) == ("service-pool", "shared-with-the-hub")
    assert (door.root, door.hub) == ("/services/pool/", "/hub/")
    assert auth.check_scopes(auth.access_scopes, {"scopes": ["access:services!service=pool"]})
    assert not auth.check_scopes(auth.access_scopes, {"scopes": ["access:services!service=other"]})


def test_the_accounts_service_finds_pool_and_register_by_what_its_hub_was_told(monkeypatch):
    told = {"CONDOR_CONFIG": "/etc/c", "MLINFN_ROLE": "client", "PGPASSFILE": "/run/pgpass"}
    for name, value in (told | {"MLINFN_HUB_SECRET": "x"}).items():
        monkeypatch.setenv(name, value)
    passed = accounts(Path("hub.toml"))["environment"]
    assert told.items() <= passed.items()
    assert "MLINFN_HUB_SECRET" not in passed
