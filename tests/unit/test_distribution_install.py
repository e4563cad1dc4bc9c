"""A private install against stand-ins of apt and dpkg: it is whole or it is not there, and it says what to do."""

import errno
import io
import os
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from mlinfn_condor.embedded import distribution, packages, unpacking
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings

SECONDS = 60
APT_GET = """#!/bin/sh
fake=$(dirname "$0")
case "$*" in
*update*) act=update ;;
*--print-uris*) act=list ;;
*) act=download ;;
esac
echo $act >> "$fake/calls"
cp "$APT_CONFIG" "$fake/apt.conf.seen"
if [ -e "$fake/fail-$act" ]; then cat "$fake/fail-$act" >&2; exit 100; fi
[ $act = list ] && printf "'http://mirror.test/condor.deb' condor_25.14.1+dfsg-1_amd64.deb 1000 SHA256:0\\n"
if [ $act = download ]; then
    if [ -e "$fake/go" ]; then echo > "$fake/reached"; read -r _ < "$fake/go"; fi
    cp "$fake"/debs/* "$(sed -n 's/^Dir::Cache "\\(.*\\)";/\\1/p' "$APT_CONFIG")/archives/"
fi
exit 0
"""
CONDOR_VERSION = "#!/bin/sh\necho '$CondorVersion: 25.14.1 2026-10-16 $'\n"
INSTALL = "from mlinfn_condor.embedded import distribution, packages; from mlinfn_condor.settings import Settings; "
INSTALL += "import pathlib, sys; packages.OS_RELEASE = pathlib.Path(sys.argv[1]); "
INSTALL += "print(distribution.install(Settings()).version)"


def package(path, files):
    """A stand-in package is the plain tar archive that the stand-in dpkg-deb passes on."""
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mode = len(text.encode()), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Folder of the stand-ins, first on PATH."""
    folder = tmp_path / "fake"
    (folder / "debs").mkdir(parents=True)
    (folder / "os-release").write_text('ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n')
    (folder / "sources.list").write_text("deb http://mirror.test/debian bookworm main\n")
    package(
        folder / "debs/condor_25.14.1+dfsg-1_amd64.deb",
        {"usr/bin/condor_version": CONDOR_VERSION, "usr/share/doc/condor/copyright": "", "etc/init.d/condor": ""},
    )
    package(
        folder / "debs/libfoo1_1.0_amd64.deb",
        {"lib/x86_64-linux-gnu/libfoo.so.1": "", "usr/lib/x86_64-linux-gnu/perl/Foo.so": "", "usr/bin/foo": ""},
    )
    script(folder / "apt-get", APT_GET)
    script(folder / "dpkg", "#!/bin/sh\necho amd64\n")
    script(folder / "dpkg-deb", '#!/bin/sh\nexec cat "$2"\n')
    shell = f"echo \"LIST='{folder}/sources.list'\"; echo \"PARTS='{folder}/none/'\""
    dump = "echo 'Acquire::http::Proxy \"http://proxy.test:3128\";'; echo 'APT::Update::Post-Invoke:: \"false\";'"
    script(folder / "apt-config", f"#!/bin/sh\nif [ $1 = shell ]; then {shell}; else {dump}; fi\n")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(packages, "OS_RELEASE", folder / "os-release")
    monkeypatch.setattr("mlinfn_condor.embedded.relocate.find_patchelf", lambda: "patchelf")
    return folder


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("MLINFN_HOME", str(tmp_path / "home"))
    return Settings()


def left(settings):
    """Names that an install left, but for its lock."""
    return sorted(path.name for path in settings.distributions.iterdir() if path.name != ".lock")


def test_an_install_keeps_what_a_pool_needs_and_nothing_else(fake, settings):
    installed = distribution.install(settings)
    assert installed == distribution.Distribution("25.14.1", settings.distributions / "25.14.1/usr", private=True)
    assert left(settings) == ["25.14.1"]
    files = {
        str(path.relative_to(installed.release_dir)) for path in installed.release_dir.rglob("*") if path.is_file()
    }
    assert files == {"bin/condor_version", "lib/x86_64-linux-gnu/libfoo.so.1"}


def test_the_machines_proxy_holds_and_its_hooks_do_not(fake, settings):
    distribution.install(settings)
    seen = (fake / "apt.conf.seen").read_text()
    assert 'Acquire::http::Proxy "http://proxy.test:3128";' in seen
    assert "Post-Invoke" not in seen
    assert 'Acquire::AllowInsecureRepositories "false";' in seen


def test_a_second_install_finds_the_first(fake, settings):
    assert distribution.install(settings) == distribution.install(settings)
    assert (fake / "calls").read_text().split().count("download") == 1


@pytest.mark.parametrize(
    ("act", "complaint", "says"),
    [
        ("update", "E: Could not resolve 'mirror.test'\n", "cannot be reached: check the network"),
        ("update", "W: GPG error: NO_PUBKEY 0E98404D386FA1D9\nE: not signed.\n", "update the package debian-archive"),
        ("update", "E: The repository 'http://x forky Release' does not have a Release file.\n", "does not carry"),
        ("update", "E: Release file for http://x/InRelease is expired (invalid since 19d 20h).\n", "set the clock, or"),
        (
            "update",
            "E: Release file for http://x/InRelease is not valid yet (invalid for another 3h).\n",
            "set the clock",
        ),
        ("list", "E: Unable to locate package condor\n", "architecture"),
        ("download", "E: Failed to fetch http://x  Hash Sum mismatch\n   Hashes: SHA256:00\n", "arrived damaged"),
        ("download", "E: Failed to fetch http://x  Connection failed [IP: 127.0.0.1 9]\n", "check the network"),
        ("download", "E: Write error - write (28: No space left on device)\nE: Hash Sum mismatch\n", "free 500 MB"),
        ("download", "W: odd\nE: Something that nobody has seen\n", "E: Something that nobody has seen"),
    ],
)
def test_what_fails_is_one_line_that_says_what_to_do(fake, settings, act, complaint, says):
    (fake / f"fail-{act}").write_text(complaint)
    with pytest.raises(InstallFailed) as failed:
        distribution.install(settings)
    assert says in str(failed.value)
    assert "\n" not in str(failed.value)
    assert left(settings) == []


def test_a_disk_that_fills_up_while_unpacking(fake, settings, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extract", full)
    with pytest.raises(InstallFailed, match="is full: free 500 MB"):
        distribution.install(settings)
    assert left(settings) == []


def test_too_little_room_is_seen_before_anything_is_fetched(fake, settings, monkeypatch):
    monkeypatch.setattr(distribution, "NEEDED_BYTES", 1 << 62)
    with pytest.raises(InstallFailed, match="is full"):
        distribution.install(settings)
    assert not (fake / "calls").exists()


def test_a_package_cut_short(fake, settings):
    deb = fake / "debs/condor_25.14.1+dfsg-1_amd64.deb"
    deb.write_bytes(deb.read_bytes()[:600])
    with pytest.raises(InstallFailed, match="is damaged"):
        distribution.install(settings)
    assert left(settings) == []


def test_one_that_does_not_run_is_taken_back(fake, settings):
    package(fake / "debs/condor_25.14.1+dfsg-1_amd64.deb", {"usr/bin/condor_version": "#!/bin/sh\nexit 127\n"})
    with pytest.raises(InstallFailed, match="does not run here"):
        distribution.install(settings)
    assert left(settings) == []


def test_on_another_system_it_says_what_to_install(fake, settings):
    (fake / "os-release").write_text('ID=ubuntu\nPRETTY_NAME="Ubuntu 24.04"\n')
    with pytest.raises(InstallFailed, match=r"Ubuntu 24.04 is not Debian.*install HTCondor 25.0 or newer"):
        distribution.install(settings)


@pytest.mark.parametrize("program", ["apt-config", "apt-get", "dpkg", "dpkg-deb"])
def test_without_apt_or_dpkg_it_says_what_to_install(fake, settings, monkeypatch, program):
    tools = fake / "tools"
    tools.mkdir()
    for tool in ("cat", "cp", "dirname", "sed", "sh"):
        (tools / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", f"{fake}:{tools}")
    (fake / program).unlink()
    with pytest.raises(InstallFailed, match=rf"no {program}, this is no Debian.*install HTCondor 25.0 or newer"):
        distribution.install(settings)
    assert left(settings) == []


@pytest.mark.parametrize("name", ["with space", "with:colon", "with$dollar"])
def test_a_folder_that_no_binary_can_name_is_refused(fake, tmp_path, name):
    with pytest.raises(InstallFailed, match="set MLINFN_HOME to another folder"):
        distribution.install(Settings(home=tmp_path / name))


def test_a_folder_that_cannot_be_written(fake, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InstallFailed, match="set MLINFN_HOME to a folder of yours"):
        distribution.install(Settings(home=tmp_path / "file"))


def test_killed_in_the_middle_it_leaves_nothing_that_the_next_does_not_remove(fake, settings):
    with held_download(fake) as held:
        held.process.send_signal(signal.SIGKILL)
        held.process.wait(SECONDS)
        assert [name[:12] for name in left(settings)] == [".installing-"]
        assert distribution.find(settings) is None or not distribution.find(settings).private
    (fake / "go").unlink()
    assert distribution.install(settings).version == "25.14.1"
    assert left(settings) == ["25.14.1"]


def test_killed_before_its_self_check_it_is_made_again(fake, settings):
    unfinished = settings.distributions / "25.14.1/usr/bin"
    unfinished.mkdir(parents=True)
    (unfinished / "leftover").touch()
    assert distribution.install(settings).version == "25.14.1"
    assert not (unfinished / "leftover").exists()


def test_of_two_at_once_the_second_waits_and_finds_the_first_ones_result(fake, settings):
    with held_download(fake) as held:
        second = start(fake)
        lock = settings.distributions / ".lock"
        until(lambda: any("->" in line and f":{lock.stat().st_ino} " in line for line in locks()))
        held.release()
        assert {process.communicate(timeout=SECONDS)[0] for process in (held.process, second)} == {"25.14.1\n"}
    assert (fake / "calls").read_text().split().count("download") == 1


@pytest.mark.parametrize(
    ("name", "own", "kept"),
    [
        ("usr/sbin/condor_schedd", True, True),
        ("usr/share/man/man1/condor_q.1.gz", True, False),
        ("usr/lib/python3/dist-packages/htcondor2/__init__.py", True, False),
        ("usr/lib/python3.14/os.py", False, False),
        ("usr/lib/x86_64-linux-gnu/libc.so.6", False, True),
        ("usr/lib/aarch64-linux-gnu/libc.so.6", False, True),
        ("usr/lib/ld-linux-aarch64.so.1", False, True),
        ("usr/lib64/ld-linux-x86-64.so.2", False, True),
        ("lib/x86_64-linux-gnu/libcap.so.2", False, True),
        ("usr/lib/x86_64-linux-gnu/gconv/UTF-16.so", False, False),
    ],
)
def test_what_is_unpacked(name, own, kept):
    assert unpacking.wanted(name, own=own) is kept


class held_download:  # noqa: N801 (reads as a block)
    """An install in another process that has begun to download and goes no further until `release`."""

    def __init__(self, fake: Path):
        self.fake = fake

    def __enter__(self):
        os.mkfifo(self.fake / "go")
        os.mkfifo(self.fake / "reached")
        # Held open, so that a download finds the word to go on also where it comes to read after `release`.
        self.go = os.open(self.fake / "go", os.O_RDWR)
        reached = os.open(self.fake / "reached", os.O_RDONLY | os.O_NONBLOCK)
        self.process = start(self.fake)
        ready, _, _ = select.select([reached], [], [], SECONDS)
        assert ready, "the install never began to download"
        os.close(reached)
        return self

    def release(self):
        os.write(self.go, b"\n")

    def __exit__(self, *error):
        self.release()  # a shell that outlived its install ends
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self.go)


def start(fake):
    return subprocess.Popen(
        [sys.executable, "-c", INSTALL, str(fake / "os-release")], stdout=subprocess.PIPE, text=True
    )


def locks():
    return Path("/proc/locks").read_text().splitlines()


def until(event):
    deadline = time.monotonic() + SECONDS
    while not event():
        assert time.monotonic() < deadline, "the event did not come"
        select.select([], [], [], 0.05)
