"""`mlinfn inventory import` as a person types it: files, and a cloud through the real SDK, on a real database."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import cloud_standin
import pytest
from cloud_standin import Cloud, server
from typer.testing import CliRunner

from mlinfn_condor.accounting.inventory.cloud import listing
from mlinfn_condor.accounting.inventory.cloud.listing import CloudUnavailable
from mlinfn_condor.accounting.inventory.rows import InventoryWrong
from mlinfn_condor.accounting.reports import Period, answer
from mlinfn_condor.cli import app
from mlinfn_condor.errors import UserError
from mlinfn_condor.store import StoreUnreachable, connect, migrate

Run = Callable[..., str]
MAP = '[devices]\nt4 = "T4"\n[projects]\nhosting = "alpha"\n'
GONE = {
    "status": "DELETED",
    "updated": "2026-02-01T00:00:00Z",
    "OS-SRV-USG:terminated_at": "2026-02-01T00:00:00.000000",
}
NO_PORT = "http://127.0.0.1:9"
"""Nobody listens on `discard`."""


@pytest.fixture
def dsn(database: str) -> str:
    migrate(database)
    return database


@pytest.fixture
def run(dsn: str) -> Run:
    def run(*words: str) -> str:
        return CliRunner().invoke(app, ["inventory", "import", *words, "--dsn", dsn], catch_exceptions=False).stdout

    return run


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud_standin.running() as standin:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(standin.settings(tmp_path)))
        (tmp_path / "map.toml").write_text(MAP)
        monkeypatch.setenv("MLINFN_ACCOUNTING_OPENSTACK_MAP", str(tmp_path / "map.toml"))
        yield standin


def periods(dsn: str) -> list[tuple[object, ...]]:
    ask = "SELECT device, given_to, lower(during), upper(during) FROM mlinfn.device_period ORDER BY 1, 3"
    with connect(dsn) as connection:
        return connection.execute(ask).fetchall()


def test_a_file_is_imported_shown_and_cut_to_what_it_says_later(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "loans.csv"
    file.write_text(
        "\ufeffname,devices,model,given_to,from,until\nvm1,1,A100,beta,2026-02-01,\nn1,,,beta,2026-02-01,\n"
    )
    told = run(str(file), "--dry-run")
    assert "new     vm1/0: 2026-02-01 00:00 to no end\n" in told
    assert "periods: 2 new, 0 gone or changed, 0 of the pool cut (--dry-run: nothing was changed)" in told
    assert run(str(file)) == told.replace(" (--dry-run: nothing was changed)", "")
    assert run(str(file)) == "nothing changes\n"
    file.write_text(file.read_text().replace("2026-02-01,\nn1", "2026-02-01,2026-03-01\nn2"))
    told = run(str(file))
    assert "changed vm1/0: 2026-02-01 00:00 to 2026-03-01 00:00, was until no end\n" in told
    assert "gone    n1: 2026-02-01" in told
    assert "new     n2: 2026-02-01" in told


def test_given_vms_close_the_allocation(run: Run, dsn: str, tmp_path: Path) -> None:
    with connect(dsn) as connection:
        connection.execute("INSERT INTO mlinfn.device VALUES ('n1', 'GPU-1', 'gpu', 'A100')")
        connection.execute(
            "INSERT INTO mlinfn.device_period VALUES ('n1', 'GPU-1', '[2026-02-01Z, 2026-03-01Z)', '', '', 'pool')"
        )
    file = tmp_path / "loans.csv"
    file.write_text(
        "name,device,devices,model,given_to,from,until\n"
        "vm1,,2,A100,beta,2026-02-02,2026-02-03\nn1,GPU-1,,A100,gamma,2026-02-10,2026-02-12\n"
    )
    assert "cut     n1 GPU-1: 2026-02-01 00:00 to 2026-03-01 00:00 of the pool\n" in run(str(file))
    period = Period(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    with connect(dsn) as connection:
        (table,) = answer(connection, "allocation", period, "project").tables
    rows = {row["project"]: row for row in table.records()}
    assert rows["(given to beta)"]["given_h"] == pytest.approx(48)
    assert rows["(given to gamma)"]["given_h"] == pytest.approx(48)
    assert rows["(unallocated)"]["unallocated_h"] == pytest.approx(26 * 24)
    assert table.total is not None
    assert table.total[1] == pytest.approx(28 * 24 + 48)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name,from\nn1,\n", "line 2: from is empty"),
        (b"name,from\n\xe9,2026-01-01\n", "no UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(run: Run, tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "loans.csv"
    file.write_text("name,from\nn1,2026-01-01\n")
    run(str(file))
    file.write_bytes(content) if content is not None else file.unlink()
    with pytest.raises(UserError, match=f"nothing was imported[^$]*{re.escape(said)}"):
        run(str(file))
    file.write_text("name,from\nn1,2026-01-01\n")
    assert run(str(file)) == "nothing changes\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "one of the two"),
        (["a.csv", "--openstack", "test"], "one of the two"),
        (["a.csv", "--anew"], "are for --openstack"),
        (["a.csv", "--source", "openstack:test"], "with a colon"),
    ],
)
def test_words_that_do_not_go_together_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        CliRunner().invoke(
            app, ["inventory", "import", *words, "--dsn", "host=/nowhere dbname=x"], catch_exceptions=False
        )


def test_the_recorders_role_may_import(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "loans.csv").write_text("name,devices,model,from\nvm1,1,A100,2026-02-01\n")
    words = ["inventory", "import", str(tmp_path / "loans.csv"), "--dsn", f"{dsn} user=mlinfn_recorder"]
    assert "periods: 1 new" in CliRunner().invoke(app, words, catch_exceptions=False).stdout


def test_a_cloud_is_read_page_by_page_with_what_it_knows_of_deleted_servers(cloud: Cloud, run: Run, dsn: str) -> None:
    cloud.servers = [server(n, f"vm{n}") for n in range(1, 6)] + [
        server(9, "old", **GONE),
        server(7, "no", tenant_id="x"),
    ]
    assert "periods: 18 new" in run("--openstack", "test")
    found = periods(dsn)
    assert len(found) == 12
    assert found[0] == (
        "old@00000009/T4-0",
        "alpha",
        datetime(2026, 1, 10, 8, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
    )
    assert found[2] == ("vm1@00000001/T4-0", "alpha", datetime(2026, 1, 10, 8, tzinfo=UTC), None)
    assert run("--openstack", "test") == "nothing changes\n"


def test_a_server_that_is_gone_ends_with_the_clouds_word_or_with_the_import(cloud: Cloud, run: Run, dsn: str) -> None:
    cloud.servers = [server(1, "vm1"), server(2, "vm2")]
    run("--openstack", "test")
    before = datetime.now(UTC).replace(microsecond=0)
    cloud.servers = [server(1, "vm1", **GONE)]
    assert "changed vm1@00000001/T4-0: 2026-01-10 08:00 to 2026-02-01 00:00, was until no end" in run(
        "--openstack", "test"
    )
    ends = {device: end for device, _, _, end in periods(dsn)}
    assert ends["vm1@00000001/T4-0"] == datetime(2026, 2, 1, tzinfo=UTC)
    missed = ends["vm2@00000002/T4-0"]
    assert isinstance(missed, datetime)
    assert before <= missed <= datetime.now(UTC)
    cloud.servers = []
    assert run("--openstack", "test") == "nothing changes\n"


def test_all_projects_go_by_their_names_or_without_the_right_to_ask_by_their_ids(
    cloud: Cloud, run: Run, dsn: str
) -> None:
    cloud.projects["x1"] = "physics"
    cloud.servers = [server(1, "vm1"), server(2, "vm2", tenant_id="x1")]
    run("--openstack", "test", "--all-projects")
    assert {given for _, given, _, _ in periods(dsn)} == {"alpha", "physics"}
    cloud.fails_at, cloud.failure = "/identity/v3/projects", 403
    run("--openstack", "test", "--all-projects", "--anew", "--dry-run")
    run("--openstack", "test", "--all-projects", "--anew")
    assert {given for _, given, _, _ in periods(dsn)} == {"alpha", "x1"}


def test_a_vm_that_is_a_node_of_the_pool_is_given_to_nobody(cloud: Cloud, run: Run, dsn: str) -> None:
    cloud.servers = [server(1, "vm1"), server(2, "worker")]
    run("--openstack", "test")
    with connect(dsn) as connection:
        connection.execute("INSERT INTO mlinfn.machine_grant VALUES ('pool', 'worker.site.example', '[2026-02-01,)')")
    told = run("--openstack", "test")
    assert "left to the pool, whose node it is: worker\n" in told
    assert {str(device).partition("@")[0] for device, _, _, _ in periods(dsn)} == {"vm1"}


@pytest.mark.parametrize(
    ("failing", "status"), [("/compute/v2.1/servers/detail?", 500), ("/compute/v2.1/servers/detail?changes", 403)]
)
def test_a_cloud_that_fails_in_the_middle_changes_nothing(
    cloud: Cloud, run: Run, dsn: str, failing: str, status: int
) -> None:
    cloud.servers = [server(1, "vm1")]
    run("--openstack", "test")
    before = periods(dsn)
    cloud.servers = []
    cloud.fails_at, cloud.failure = failing, status
    with pytest.raises(
        CloudUnavailable, match=f"^nothing was imported: cloud test: {status} .*so it is said in the test"
    ):
        run("--openstack", "test")
    assert periods(dsn) == before


def test_a_page_that_does_not_come_changes_nothing(cloud: Cloud, run: Run, dsn: str) -> None:
    cloud.servers = [server(n, f"vm{n}") for n in range(1, 6)]
    cloud.fails_at = "/compute/v2.1/servers/detail?marker"
    with pytest.raises(CloudUnavailable, match="503"):
        run("--openstack", "test")
    assert periods(dsn) == []


def test_who_may_not_enter_is_told_so(cloud: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_standin, "PASSWORD", "another")
    with pytest.raises(CloudUnavailable, match=r"cloud test: .*requires authentication.*`openstack --os-cloud test"):
        run("--openstack", "test")
    with pytest.raises(CloudUnavailable, match="cloud nowhere: Cloud nowhere was not found"):
        run("--openstack", "nowhere")


def test_a_cloud_that_is_not_there_or_never_answers_is_given_up(
    cloud: Cloud, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PATIENCE_SECONDS", 0.2)
    cloud.fails_at, cloud.hang = "/compute/v2.1/servers", Event()
    with pytest.raises(CloudUnavailable, match="timed out"):
        run("--openstack", "test")
    cloud.hang.set()
    cloud.address = NO_PORT
    cloud.settings(tmp_path)
    with pytest.raises(CloudUnavailable, match="cloud test"):
        run("--openstack", "test")


def test_what_a_cloud_does_not_tell_is_not_taken_for_none(cloud: Cloud, run: Run) -> None:
    hidden = {key: value for key, value in server(1, "vm1")["flavor"].items() if key != "extra_specs"}
    cloud.servers = [server(1, "vm1", flavor=hidden)]
    with pytest.raises(CloudUnavailable, match=r"extra specs .* are hidden"):
        run("--openstack", "test")
    cloud.servers = [server(1, "vm1", flavor={"id": "1", "links": []})]
    with pytest.raises(CloudUnavailable, match="without its flavor"):
        run("--openstack", "test")


def test_a_device_that_the_map_does_not_know_and_a_database_that_is_away(
    cloud: Cloud, run: Run, tmp_path: Path
) -> None:
    cloud.servers = [server(1, "vm1")]
    (tmp_path / "other.toml").write_text('[devices]\na100 = "A100"\n')
    with pytest.raises(InventoryWrong, match=r"server vm1 .*'t4': say what that is in \[devices\]"):
        run("--openstack", "test", "--map", str(tmp_path / "other.toml"))
    asked = len(cloud.asked)
    with pytest.raises(StoreUnreachable):
        CliRunner().invoke(
            app,
            ["inventory", "import", "--openstack", "test", "--dsn", "host=/nowhere dbname=x"],
            catch_exceptions=False,
        )
    assert len(cloud.asked) == asked
