"""Which installed HTCondor a pool takes."""

import pytest

from mlinfn_condor.embedded import distribution
from mlinfn_condor.embedded.installed import FINISHED, version_in
from mlinfn_condor.settings import Settings


def program(path, says):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


def release(folder, version):
    program(folder / "bin/condor_version", f"$CondorVersion: {version} 2026-10-16 PackageID: {version}-1 $")
    program(folder / "sbin/condor_master", "")
    return folder


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def put_on_path(monkeypatch):
    """Exactly that release on PATH, and no system folder: the machine may have an HTCondor of its own."""
    monkeypatch.setattr("mlinfn_condor.embedded.installed._SYSTEM_SBIN", ())

    def put(folder):
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:{folder / 'sbin'}")

    return put


def test_version_in_what_condor_version_prints():
    assert (
        version_in("$CondorVersion: 25.14.1 2026-10-16 PackageID: 25.14.1+dfsg-1 $\n$CondorPlatform: X $") == "25.14.1"
    )
    assert version_in("Segmentation fault") is None


def test_a_new_enough_one_on_path_is_taken(tmp_path, settings, put_on_path):
    put_on_path(release(tmp_path / "usr", "25.0.3"))
    assert distribution.find(settings) == distribution.Distribution("25.0.3", tmp_path / "usr", private=False)


@pytest.mark.parametrize("version", ["24.12.4", "9.0.1"])
def test_an_old_one_on_path_is_not(tmp_path, settings, put_on_path, version):
    put_on_path(release(tmp_path / "usr", version))
    assert distribution.find(settings) is None


def test_commands_without_daemons_on_path_are_not(tmp_path, settings, put_on_path):
    put_on_path(release(tmp_path / "usr", "25.0.3"))
    (tmp_path / "usr/sbin/condor_master").unlink()
    assert distribution.find(settings) is None


def test_the_newest_complete_private_one_is_taken_by_number(settings, put_on_path):
    for version, complete in [("25.9.1", True), ("25.14.1", True), ("25.15.0", False)]:
        folder = settings.distributions / version
        release(folder / "usr", version)
        if complete:
            (folder / FINISHED).touch()
    put_on_path(settings.distributions / "25.14.1/usr")  # as `mlinfn pool env` does
    found = distribution.find(settings)
    assert found == distribution.Distribution("25.14.1", settings.distributions / "25.14.1/usr", private=True)


@pytest.mark.parametrize(
    ("layout", "libexec", "lib"),
    [
        (["libexec/condor", "lib/condor"], "libexec/condor", "lib/condor"),
        (["libexec/condor", "lib64/condor", "lib"], "libexec/condor", "lib64/condor"),
        (["libexec", "lib"], "libexec", "lib"),
    ],
    ids=["Debian package", "Red Hat package", "tarball"],
)
def test_folders_of_packages_and_tarballs(tmp_path, layout, libexec, lib):
    for folder in layout:
        (tmp_path / folder).mkdir(parents=True)
    found = distribution.Distribution("25.0.3", tmp_path, private=False)
    assert (found.libexec, found.lib) == (tmp_path / libexec, tmp_path / lib)
