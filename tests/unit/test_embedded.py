"""The embedded pool's files, processes and errors, without starting it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mlinfn_condor.embedded import configuration, lifecycle, ports, processes, secrets
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.errors import EmbeddedPoolError
from mlinfn_condor.settings import Settings

DISTRIBUTION = Distribution("25.14.1", Path("/opt/htcondor"), private=True)


def test_every_rendered_file_lies_in_the_pools_folder(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "demo")
    assert all(path.is_relative_to(layout.etc) for path in configuration.files(layout, Blueprint(), DISTRIBUTION, 4242))


def test_each_node_reads_its_own_file_last(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "demo")
    files = configuration.files(layout, Blueprint(), DISTRIBUTION, 4242)
    assert (
        f"LOCAL_CONFIG_FILE = {layout.site_config}, {layout.etc / 'server2.conf'}\n"
        in files[layout.node_config("server2")]
    )


def test_groups_are_classes_then_projects(tmp_path: Path) -> None:
    files = configuration.files(Layout(tmp_path / "demo"), Blueprint(people={"ann": ("x", "y")}), DISTRIBUTION, 4242)
    (site,) = [text for path, text in files.items() if path.name == "site.conf"]
    assert "group_dask.x, group_dask.y" in site


def test_no_rendered_file_opens_the_pool(tmp_path: Path) -> None:
    for text in configuration.files(Layout(tmp_path / "demo"), Blueprint(), DISTRIBUTION, 4242).values():
        assert "ALLOW_" not in text


def test_overrides_come_last(tmp_path: Path) -> None:
    files = configuration.files(Layout(tmp_path / "demo"), Blueprint(overrides="X = 1"), DISTRIBUTION, 4242)
    (site,) = [text for path, text in files.items() if path.name == "site.conf"]
    assert site.endswith("X = 1")


def test_a_private_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    secrets.write_private(tmp_path / "key", b"secret")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_folder_too_deep_for_sockets_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPoolError, match="MLINFN_HOME"):
        lifecycle.down(Settings(home=tmp_path / ("x" * 80)))


def test_down_of_a_pool_that_never_was_is_no_error(tmp_path: Path) -> None:
    assert lifecycle.down(Settings(home=Path("/nonexistent"), pool="none")) is False


def test_a_pool_name_that_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="pool"):
        Settings(pool="../up")


def test_a_stale_pid_file_is_not_believed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.run.mkdir()
    layout.master_pid.write_text(str(os.getpid()))
    assert processes.master(layout) is None


def test_a_users_shell_with_the_pools_environment_is_not_a_member(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with _sleeper({"CONDOR_CONFIG": str(layout.condor_config)}) as shell:
        assert shell.pid not in processes.members(layout)


def test_a_jobs_process_is_a_member_and_is_ended(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.run.mkdir()
    with _sleeper({"_CONDOR_SCRATCH_DIR": str(tmp_path / "execute" / "dir_1")}) as job:
        assert list(processes.members(layout)) == [job.pid]
        assert processes.stop(layout, graceful_seconds=0) is True
        assert job.wait(60) != 0


def test_a_companion_is_ended_by_its_id_and_nobody_else_is(tmp_path: Path) -> None:
    layout, pid_file = Layout(tmp_path), tmp_path / "proxy.pid"
    processes.end_companion(layout, pid_file)
    with (
        _sleeper({processes.COMPANION: str(layout.folder)}) as companion,
        _sleeper({processes.COMPANION: "/another/pool"}) as stranger,
    ):
        pid_file.write_text(str(stranger.pid))
        processes.end_companion(layout, pid_file)
        pid_file.write_text(str(companion.pid))
        processes.end_companion(layout, pid_file)
        assert companion.wait(60) != 0
        assert stranger.poll() is None


def _sleeper(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process that ends when its pipe closes, that is, with this test at the latest."""
    waiting = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    process = subprocess.Popen(waiting, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_pool_keeps_its_port_until_somebody_else_has_it(tmp_path: Path) -> None:
    kept = tmp_path / "port"
    first = ports.choose(kept)
    assert ports.choose(kept) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        assert ports.choose(kept) != first


def test_a_damaged_port_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("seven")
    assert ports.choose(tmp_path / "port") == int((tmp_path / "port").read_text())
