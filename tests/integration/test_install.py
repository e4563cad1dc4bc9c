"""The real thing: Debian's packages into an empty folder, without touching the system."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mlinfn_condor.embedded import distribution, packages
from mlinfn_condor.embedded.sources import os_release
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings


@pytest.fixture(autouse=True)
def _on_debian():
    release = os_release(packages.OS_RELEASE.read_text()) if packages.OS_RELEASE.exists() else {}
    if release.get("ID") != "debian" or shutil.which("apt-get") is None:
        pytest.skip("a private HTCondor is made of Debian's packages, on Debian")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    before = Path("/var/lib/dpkg/status").stat().st_mtime_ns
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    try:
        result = distribution.install(settings)
    except InstallFailed as error:
        if "cannot be reached" in str(error) and not os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.skip(str(error))
        raise
    assert Path("/var/lib/dpkg/status").stat().st_mtime_ns == before
    return result


def run(program, *arguments):
    return subprocess.run(
        [program, *arguments], env={"CONDOR_CONFIG": "/dev/null", "PATH": os.defpath}, capture_output=True, text=True
    )


def test_condor_version_says_its_version(installed):
    assert f"$CondorVersion: {installed.version} " in run(installed.bin / "condor_version").stdout


@pytest.mark.parametrize("daemon", ["master", "collector", "negotiator", "schedd", "shadow", "startd", "starter"])
def test_daemons_find_all_their_libraries(installed, daemon):
    interpreter = next((installed.release_dir / "lib64").glob("ld-*"), None) or next(
        (installed.release_dir / "lib").glob("ld-*")
    )
    listed = run(interpreter, "--list", installed.sbin / f"condor_{daemon}")
    assert listed.returncode == 0, listed.stderr
    foreign = [line for line in listed.stdout.splitlines() if "=>" in line and str(installed.release_dir) not in line]
    assert foreign == []


def test_what_the_pools_configuration_names_is_there(installed):
    assert (installed.libexec / "condor_gpu_discovery").is_file()
    assert (installed.lib / "condor_ssh_to_job_sshd_config_template").is_file()
    assert (installed.sbin / "condor_procd").is_file()


def test_without_a_network_apts_own_words_become_one_line(tmp_path, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens on the discard port
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InstallFailed, match="cannot be reached: check the network"):
        distribution.install(Settings(home=tmp_path))
    assert [path.name for path in (tmp_path / "htcondor").iterdir()] == [".lock"]
