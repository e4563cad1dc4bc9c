"""A site's hub and proxy as its manifests start them, with rendered settings; names and ports are this machine's."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from hub_client import Person
from postgres import fresh_database, wait_until
from psycopg.conninfo import make_conninfo
from site_containers import Container, free_port, pool, running
from site_hub import accounts_of, certificates_of, hub_and_proxy, settle, some_ports, status

from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.hub.accounts import membership
from mlinfn_condor.hub.accounts.account import Account
from mlinfn_condor.hub.accounts.passwords import hashed
from mlinfn_condor.identity.database import DatabaseRegister
from mlinfn_condor.identity.deciding import set_site
from mlinfn_condor.identity.people import Site as People
from mlinfn_condor.store import migrate
from mlinfn_condor.store.local import IDENTITY, LocalServer

PASSWORD = "tavo-rimi-kelu-sano"


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return some_ports()


@pytest.fixture(scope="module")
def register(postgres: LocalServer) -> Iterator[str]:
    """A migrated database in which numbers were named, as its initial containers leave it."""
    with fresh_database(postgres) as dsn:
        migrate(dsn)
        DatabaseRegister(dsn).change(lambda people: set_site(people, People(20000, 20099, 30)))
        yield make_conninfo(dsn, user=IDENTITY)


@pytest.fixture(scope="module")
def hub(installed: Distribution, ports: dict[str, int], register: str) -> Iterator[Container]:
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    here = {
        "postgresql://mlinfn_identity@database:5432/mlinfn": register,
        "daemons_group = 9618": f"daemons_group = {os.getgid()}",
    }
    with pool(folder, installed) as containers:
        settle(containers["client"], folder, ports, here)
        with accounts_of(containers["client"]).change() as accounts:
            accounts["alice"] = Account(projects=("alpha",), password=hashed(PASSWORD))
        with hub_and_proxy(containers["client"], folder, ports) as started:
            yield started
    shutil.rmtree(folder, ignore_errors=True)


def test_browsers_reach_the_hub_through_the_proxy_and_the_probe_says_so(hub, ports):
    try:
        wait_until(lambda: status(ports["public"], "/hub/health") == 200, 60, "the hub answers through its proxy")
    except BaseException:
        print((hub.folder / "output").read_text()[-3000:])  # noqa: T201
        raise
    assert status(ports["public"], "/_chp_healthz") == 200
    assert status(ports["public"], "/hub/login") == 200
    certificates = str(certificates_of(hub))
    asked = hub.probe("hub-answers", certificates, f"https://127.0.0.1:{ports['hub']}")
    assert (asked.returncode, asked.stderr) == (0, "")


def test_a_hub_that_is_away_or_has_made_no_certificates_does_not_answer(hub, tmp_path):
    certificates = str(certificates_of(hub))
    away = hub.probe("hub-answers", certificates, f"https://127.0.0.1:{free_port()}", seconds=2)
    assert away.returncode == 1
    assert "the hub: " in away.stderr
    new = hub.probe("hub-answers", str(tmp_path), seconds=2)
    assert (new.returncode, "no certificates yet" in new.stderr) == (1, True)


def test_the_hub_writes_the_projects_of_its_people_where_access_points_read_them(hub):
    written = hub.folder / "lib" / "shared" / "projects.map"
    wait_until(written.exists, 30, "the map is written")
    assert "* alice alpha" in written.read_text()


def test_access_points_have_read_them_and_pods_find_the_people_of_the_register(hub):
    wait_until(lambda: membership.is_settled(accounts_of(hub), "alice", "batch@"), 60, "access points know her project")
    people = hub.folder / "lib" / "shared" / "people"
    wait_until(lambda: (people / "group").exists(), 60, "who has which number is written")
    assert "alice:x:20000:20000::" in (people / "passwd").read_text()
    assert re.search(r"^alpha:x:200\d\d:alice$", (people / "group").read_text(), re.MULTILINE)
    listed = hub.folder / "lib" / "shared" / "people-tokens.map"
    assert listed.read_text().split()[2] == "alice"
    assert listed.stat().st_mode & 0o777 == 0o640, "for the daemons' group, and nobody else"


def test_the_window_of_its_own_pod_is_the_hubs_and_shows_the_pool_to_whom_the_hub_signs_in(hub, ports):
    settings = hub.folder / "etc" / "hub" / "hub.toml"
    token = hub.folder / "run" / "secrets" / "window" / "token"
    reader = {"_CONDOR_SEC_TOKEN_DIRECTORY": str(hub.folder / "run" / "secrets" / "reader-token")}
    (hub.folder / "web").mkdir()
    aside = Container("web", hub.folder / "web", hub.environment | reader)
    arguments = [f"--settings={settings}", f"--token-file={token}", f"--hub=http://127.0.0.1:{ports['public']}"]
    with running(aside, sys.executable, "-m", "mlinfn_condor.web", *arguments, f"--listen=127.0.0.1:{ports['web']}"):
        url = f"http://127.0.0.1:{ports['public']}/"
        probe = "/services/pool/health"
        wait_until(lambda: status(ports["web"], probe) == 200, 60, "its probe says that it is well")
        wait_until(lambda: status(ports["public"], probe) == 200, 60, "the proxy leads to it")
        alice = Person(url, "alice", PASSWORD)

        def page(path: str) -> requests.Response:
            return alice.http.get(f"{url}services/pool/{path}", timeout=30, headers={"Accept": "text/html"})

        try:
            wait_until(lambda: '<p class="who">alice' in page("").text, 60, "the hub says who she is")
        except BaseException:
            print(page("").text[-2000:], (aside.folder / "output").read_text()[-2000:])  # noqa: T201
            raise
        assert "the collector does not answer" not in page("").text
        assert page("administration").status_code == 403
        stranger = requests.get(f"{url}services/pool/mine", timeout=30, headers={"Accept": "text/html"})
        assert "/hub/login" in stranger.url
