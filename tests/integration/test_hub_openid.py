"""Sign-in at a real OpenID provider, in a real hub on a real pool: from the code to the project of a running job."""

import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests
from hub_client import Person, wait_until
from oidc_provider_mock import run_server_in_thread

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded import ports
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.accounts import membership
from mlinfn_condor.hub.accounts.account import Account, now
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.local import first_settings, lifecycle
from mlinfn_condor.hub.local.layout import HubLayout
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.settings import Settings

SECRET = "the-secret-of-this-client"
OPENID = """
[accounts.openid]
issuer = "{issuer}"
client_id = "mlinfn-hub"
client_secret_file = "{secret}"
provider = "INFN IAM"
admin_groups = ["ops"]

[accounts.openid.projects]
ml = "alpha"
cms = ["beta", "alpha"]
"""
END_SECONDS = 60
"""A round of the accounts service, and the time a session takes to leave."""


class Provider:
    """A provider on a port of its own, which can be away. It forgets its people when it goes."""

    def __init__(self, folder: Path) -> None:
        self.port = ports.choose(folder / "port-provider")
        self.url = f"http://localhost:{self.port}"
        self._running = None

    def start(self) -> None:
        self._running = run_server_in_thread(self.port, require_nonce=True)
        self._running.__enter__()

    def stop(self) -> None:
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None

    def knows(self, subject: str, **claims: object) -> None:
        requests.put(f"{self.url}/users/{subject}", json=claims, timeout=10).raise_for_status()


class Guest(Person):
    """A browser that signs in at the provider."""

    def __init__(self, hub: RunningHub, name: str = "") -> None:
        self.url, self.name, self.http = hub.url, name, requests.Session()

    def leave_for_the_provider(self) -> str:
        """The address of the provider's page on which a person says who he is."""
        return self.http.get(f"{self.url}hub/oauth_login", timeout=30).url

    def consent(self, page: str, subject: str) -> str:
        """Says there who he is; the address back to the hub."""
        return self.http.post(page, data={"sub": subject}, allow_redirects=False, timeout=30).headers["Location"]

    def sign_in(self, subject: str) -> requests.Response:
        self.answer = self.http.get(self.consent(self.leave_for_the_provider(), subject), timeout=30)
        return self.answer

    def is_in(self) -> bool:
        return self.http.get(f"{self.url}hub/home", timeout=30, allow_redirects=False).status_code == 200


@pytest.fixture(scope="module")
def settings(pool_home: Path) -> Settings:
    return Settings(home=pool_home, pool="openid")


@pytest.fixture(scope="module")
def provider(pool_home: Path) -> Iterator[Provider]:
    made = Provider(pool_home)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def up(settings: Settings, provider: Provider) -> Iterator[tuple[RunningHub, requests.Response]]:
    """The hub, and what it said while it was up and the provider was not yet."""
    pool = pools.up(settings)
    try:
        layout = HubLayout(pool.layout)
        (secret := pool.layout.etc / "client-secret").write_text(SECRET)
        secret.chmod(0o600)
        text = first_settings.text(layout, pool) + OPENID.format(issuer=provider.url, secret=secret)
        layout.settings.write_text(text)
        hub = lifecycle.up(settings, SilentReport())
        before = requests.get(f"{hub.url}hub/oauth_login", timeout=30)
        provider.start()
        yield hub, before
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def hub(up: tuple[RunningHub, requests.Response]) -> RunningHub:
    return up[0]


@pytest.fixture
def store(hub: RunningHub) -> Store:
    return Store(hub.settings.accounts_folder)


def sentence(answer: requests.Response) -> str:
    """What the page says, as a person reads it."""
    text = re.sub(r"<[^>]*>", " ", answer.text)
    return " ".join(text.replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&").split())


def test_a_hub_whose_provider_is_away_says_so_and_works_once_it_is_back(up, provider):
    hub, before = up
    assert before.status_code == 503
    assert "No sign-in at the moment: INFN IAM does not answer." in sentence(before)
    assert urlsplit(Guest(hub).leave_for_the_provider()).port == provider.port


def test_a_group_at_the_provider_is_a_project_of_the_pool(hub, provider, store):
    provider.knows("s-dora", preferred_username="dora", groups=["cms", "unknown"])
    dora = Guest(hub, "dora")
    assert dora.sign_in("s-dora").status_code == 200
    assert dora.is_in()
    account = store.read()["dora"]
    assert (account.member_of, account.is_admin, account.password) == (("beta", "alpha"), False, None)
    wait_until(lambda: membership.is_settled(store, "dora"), 15, "the pool knows dora")
    assert "* dora beta,alpha\n" in hub.settings.membership.map_file.read_text()


@pytest.fixture(scope="module")
def session(hub: RunningHub, provider: Provider) -> tuple[Guest, Path]:
    """A running session of a person whom the hub never saw before, and its folder."""
    provider.knows("s-gina", preferred_username="gina", groups=["ml"])
    gina = Guest(hub, "gina")
    gina.sign_in("s-gina")
    events = gina.start()  # at once: whoever starts waits for his membership
    assert events[-1].get("ready"), events
    (server,) = (hub.layout.pool.homes / "gina" / ".mlinfn" / "sessions").glob("*/server.json")
    return gina, server.parent


def test_the_first_session_of_a_new_person_starts_at_once_under_his_project(hub, settings, session):
    ad = ask_queue(settings, "gina")
    assert ad == "gina alpha"


def ask_queue(settings: Settings, user: str) -> str:
    command = [
        "condor_q",
        "-name",
        "interactive@",
        "-all",
        "-constraint",
        f'Owner == "{user}"',
        "-af",
        "Owner",
        "Project",
    ]
    environment = os.environ | pools.environment(settings, "admin")
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60).stdout.strip()


def test_nothing_of_the_provider_reaches_a_session(hub, session):
    _, folder = session
    pid = int(re.search(r'"pid": (\d+)', (folder / "server.json").read_text())[1])
    environ = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    files = "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())
    assert "JUPYTERHUB_API_TOKEN" in files  # where the hub puts what a session has to know
    for held in (environ, files):
        assert SECRET not in held
        assert not re.search(r"refresh_token|id_token|access_token|client_secret|OAUTH2_|auth_state", held)
    kinds = {jwt.get_unverified_header(found)["kid"] for found in re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", files)}
    assert kinds <= {"sessions"}
    assert "eyJ" not in environ


def test_the_hub_keeps_nothing_of_the_providers_tokens(hub, session):
    with sqlite3.connect(f"file:{hub.settings.folder}/jupyterhub.sqlite?mode=ro", uri=True) as database:
        kept = database.execute("SELECT encrypted_auth_state FROM users").fetchall()
    assert kept
    assert set(kept) == {(None,)}
    assert SECRET not in hub.layout.log("hub").read_text(errors="replace")


def test_the_end_of_an_account_ends_its_session_its_tokens_and_its_sign_in(hub, session, store):
    gina, folder = session
    token = gina.ask("POST", "api/users/gina/tokens", params={"_xsrf": gina._xsrf}, json={}).json()["token"]
    with store.change() as accounts:
        accounts["gina"] = accounts["gina"].model_copy(update={"until": now()})
    header = {"Authorization": f"token {token}"}

    def is_void() -> bool:
        return requests.get(f"{hub.url}hub/api/user", headers=header, timeout=30).status_code == 403

    wait_until(is_void, END_SECONDS, "gina's token is void")
    wait_until(lambda: not (folder / "server.json").exists(), END_SECONDS, "gina's session has left")
    wait_until(lambda: not gina.is_in(), END_SECONDS, "gina's browser is out")
    again = gina.sign_in("s-gina")
    assert again.status_code == 403
    assert "Your account gina ended on" in sentence(again)
    assert "gina" not in hub.settings.membership.map_file.read_text()


def test_a_person_in_no_group_of_the_table_is_refused_with_a_sentence(hub, provider, store):
    provider.knows("s-eve", preferred_username="eve", groups=["atlas"])
    eve = Guest(hub, "eve")
    answer = eve.sign_in("s-eve")
    assert answer.status_code == 403
    assert "You are signed in as eve, but in no group that has a project on this pool" in sentence(answer)
    assert not eve.is_in()
    assert "eve" not in store.read()


@pytest.mark.parametrize(
    "name",
    ["".join(map(chr, range(1, 256))), "<script>alert(1)</script>", "../dora", "Dora", "dora\n* mallory alpha", "%s%n"],
)
def test_a_name_that_cannot_be_the_pools_is_refused_and_shown_harmlessly(hub, provider, store, name):
    provider.knows("s-hostile", preferred_username=name, groups=["ml"])
    answer = Guest(hub).sign_in("s-hostile")
    assert answer.status_code == 403
    assert "cannot be used on this pool" in sentence(answer)
    assert "<script>alert" not in answer.text
    assert "mallory" not in hub.settings.membership.map_file.read_text()
    assert name not in store.read()


def test_nobody_signs_in_as_the_pools_own_daemons(hub, provider):
    provider.knows("s-condor", preferred_username="condor", groups=["ml"])
    answer = Guest(hub).sign_in("s-condor")
    assert answer.status_code == 403
    assert "is a role of this pool" in sentence(answer)


def test_groups_are_looked_at_again_at_each_sign_in(hub, provider, store):
    provider.knows("s-fred", preferred_username="fred", groups=["ml", "ops"])
    fred = Guest(hub, "fred")
    fred.sign_in("s-fred")
    assert store.read()["fred"].is_admin
    provider.knows("s-fred", preferred_username="fred", groups=[])
    assert fred.sign_in("s-fred").status_code == 403
    account = store.read()["fred"]
    assert (account.member_of, account.is_admin) == ((), False)
    wait_until(lambda: not fred.is_in(), 30, "the browser of before is out")


def test_a_name_that_changed_hands_does_not_open_the_others_home(hub, provider, store):
    provider.knows("s-hugo", preferred_username="hugo", groups=["ml"])
    Guest(hub).sign_in("s-hugo")
    provider.knows("s-other", preferred_username="hugo", groups=["ml"])
    answer = Guest(hub).sign_in("s-other")
    assert answer.status_code == 403
    assert "The name hugo belongs to somebody else here" in sentence(answer)


def test_who_has_a_new_name_at_the_provider_takes_the_end_of_his_account_along(hub, provider, store):
    provider.knows("s-rosa", preferred_username="rosa", groups=["ml"])
    Guest(hub, "rosa").sign_in("s-rosa")
    with store.change() as accounts:
        accounts["rosa"] = accounts["rosa"].model_copy(update={"until": now()})
    provider.knows("s-rosa", preferred_username="rosalia", groups=["ml"])
    rosalia = Guest(hub, "rosalia")
    answer = rosalia.sign_in("s-rosa")
    assert answer.status_code == 403
    assert "Your account rosalia ended" in sentence(answer)
    assert not rosalia.is_in()
    assert "rosa" not in store.read()
    assert store.read()["rosalia"].until is not None


def test_an_account_of_an_administrators_making_lets_a_person_without_groups_in(hub, provider, store):
    with store.change() as accounts:
        accounts["ivan"] = Account(projects=("beta",), until=now() + timedelta(days=1))
    provider.knows("s-ivan", preferred_username="ivan")
    ivan = Guest(hub, "ivan")
    assert ivan.sign_in("s-ivan").status_code == 200
    assert ivan.is_in()


@pytest.fixture
def known(provider: Provider) -> str:
    provider.knows("s-jane", preferred_username="jane", groups=["ml"])
    return "s-jane"


def test_an_answer_with_another_state_is_refused(hub, known):
    jane = Guest(hub, "jane")
    back = jane.consent(jane.leave_for_the_provider(), known)
    changed = re.sub(r"state=[^&]+", "state=eyJzdGF0ZV9pZCI6ICJvdGhlciJ9", back)
    assert changed != back
    assert jane.http.get(changed, timeout=30).status_code == 400
    assert not jane.is_in()


def test_an_answer_to_another_browser_is_refused(hub, known):
    jane, victim = Guest(hub, "jane"), Guest(hub)
    back = jane.consent(jane.leave_for_the_provider(), known)
    victim.leave_for_the_provider()
    assert victim.http.get(back, timeout=30).status_code == 400
    assert not victim.is_in()


def test_an_id_token_of_another_sign_in_is_refused(hub, known):
    jane = Guest(hub, "jane")
    page = urlsplit(jane.leave_for_the_provider())
    asked = {name: values[0] for name, values in parse_qs(page.query).items()}
    assert asked["nonce"]
    other = page._replace(query=urlencode(asked | {"nonce": "of-another-sign-in"})).geturl()
    answer = jane.http.get(jane.consent(other, known), timeout=30)
    assert answer.status_code == 403
    assert "the answer does not belong to it" in sentence(answer)
    assert not jane.is_in()


def test_a_code_is_good_once(hub, known):
    jane = Guest(hub, "jane")
    back = jane.consent(jane.leave_for_the_provider(), known)
    cookies = jane.http.cookies.copy()
    assert jane.http.get(back, timeout=30).status_code == 200
    thief = Guest(hub)
    thief.http.cookies = cookies
    assert thief.http.get(back, timeout=30).status_code == 403
    assert not thief.is_in()


def test_a_provider_that_goes_away_in_the_middle_is_named(hub, provider, known):
    jane = Guest(hub, "jane")
    back = jane.consent(jane.leave_for_the_provider(), known)
    provider.stop()
    try:
        answer = jane.http.get(back, timeout=60)
    finally:
        provider.start()
    assert answer.status_code == 503
    assert "INFN IAM does not answer" in sentence(answer)
    assert not jane.is_in()
