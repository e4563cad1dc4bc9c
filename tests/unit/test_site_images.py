"""The images of the platform without a container engine: what can be read off their files; their scripts, run."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from postgres import wait_until

from mlinfn_condor.identity.names import ROLES
from mlinfn_condor.site.condor import SCHEDULES

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "images"
CONTAINERFILE = (IMAGES / "Containerfile").read_text()
START = IMAGES / "start"


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in CONTAINERFILE.splitlines() if not line.startswith("#")))
    return [(words[0], words[2]) for line in joined.splitlines() if (words := line.partition(" "))[0]]


def test_one_base_with_its_digest_or_none():
    froms = [value for name, value in instructions() if name == "FROM"]
    assert {value.split()[0] for value in froms} == {"${BASE}", "wheel", "platform"}
    assert CONTAINERFILE.count("*@sha256:*)") == 1
    assert not re.search(r"^ARG BASE=", CONTAINERFILE, re.M)


def test_every_image_of_the_manifests_has_its_target():
    used = {
        container["image"].partition(":")[0]
        for path in (ROOT / "kubernetes").rglob("*.yaml")
        for each in yaml.safe_load_all(path.read_text())
        if each and each["kind"] in ("StatefulSet", "Deployment", "Job")
        for container in each["spec"]["template"]["spec"].get("containers", [])
        if "image" in container  # a patch need not name it
    }
    targets = {f"mlinfn/{value.split()[-1]}" for name, value in instructions() if name == "FROM" and " AS " in value}
    assert {image for image in used if image.startswith("mlinfn/")} <= targets


@pytest.mark.parametrize("name", ["platform", "hub"])
def test_packages_are_pinned_to_the_digit(name):
    lines = (IMAGES / f"{name}.txt").read_text().splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    assert len(wanted) > 30
    assert [line for line in wanted if not re.match(r"^[a-z0-9][a-z0-9._-]*==[^ ]+( ; .+)?$", line)] == []
    assert set((IMAGES / "platform.txt").read_text().splitlines()[2:]) <= set(
        (IMAGES / "hub.txt").read_text().splitlines()
    )


def test_debian_packages_that_matter_are_pinned_and_nothing_is_setuid():
    for package in ('"condor=${HTCONDOR}"', '"nfs-ganesha=${GANESHA}"'):
        assert package in CONTAINERFILE
    assert CONTAINERFILE.count("-perm /6000 -type f -exec chmod a-s") == 2


def test_the_platform_is_no_root_and_holds_no_secret():
    assert ("USER", "9618") in instructions()
    assert not re.search(r"(?i)(passwd=|BEGIN |eyJ[A-Za-z0-9])", CONTAINERFILE)
    assert [value for name, value in instructions() if name == "ADD"] == []
    assert [value for name, value in instructions() if name == "ENTRYPOINT"] == ['["/usr/local/bin/start"]'] * 2


def test_condor_is_the_account_that_pods_and_disks_name():
    assert "useradd --system --uid 9618" in CONTAINERFILE
    text = "".join(path.read_text() for path in (ROOT / "kubernetes").rglob("*.yaml"))
    assert set(re.findall(r"(?:runAsUser|fsGroup): (\d+)", text)) == {"0", "9618", "999"}


def test_roles_that_submit_in_others_names_are_accounts_there_and_nobody_can_be_called_so():
    accounts = set(re.findall(r"useradd .* (\w+) *\\$", CONTAINERFILE, re.M)) - {"condor"}
    assert accounts == {"admin", "hub", SCHEDULES}
    assert accounts <= ROLES
    assert CONTAINERFILE.count("--shell /usr/sbin/nologin") == len(accounts) + 1


@pytest.fixture
def mounted(tmp_path) -> Path:
    """A Secret as Kubernetes mounts it: links into a folder that is swapped as a whole, readable by a group."""
    behind = tmp_path / "from" / "token" / "..data"
    behind.mkdir(parents=True)
    (behind / "hub").write_bytes(b"secret\0of the hub")
    (behind / "hub").chmod(0o440)
    (behind.parent / "hub").symlink_to("..data/hub")
    return tmp_path


def start(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "MLINFN_SECRETS_FROM": str(folder / "from"),
        "MLINFN_SECRETS_TO": str(folder / "to"),
        "MLINFN_FOLDERS": str(folder / "run"),
    }
    return subprocess.run([START, *command], env=environment, capture_output=True, text=True, check=False)


def test_secrets_become_private_and_are_the_same_after_a_restart(mounted):
    for _ in range(2):
        done = start(mounted, "sh", "-c", "umask; echo $0 $1", "told", "this")
        assert (done.returncode, done.stdout, done.stderr) == (0, "0022\ntold this\n", "")
    copies = [path for path in (mounted / "to").rglob("*") if path.is_file()]
    assert [(path.name, path.read_bytes()) for path in copies] == [("hub", b"secret\0of the hub")]
    assert {path.stat().st_mode & 0o777 for path in (mounted / "to").rglob("*")} == {0o600, 0o700}
    assert (mounted / "run").is_dir()


@pytest.mark.root
def test_as_root_daemons_that_become_condor_can_work_in_their_folders(mounted, monkeypatch):
    monkeypatch.setenv("MLINFN_CONDOR", "20017:20018")
    assert start(mounted, "true").returncode == 0
    found = (mounted / "run").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (20017, 20018, 0o755)
    assert (mounted / "to").stat().st_uid == 0, "secrets are not condor's"


def test_the_programs_own_end_is_the_containers(mounted):
    assert start(mounted, "sh", "-c", "exit 7").returncode == 7
    assert start(mounted, "no-such-program").returncode == 127


def test_a_secret_that_cannot_be_read_is_no_start(mounted):
    (mounted / "from" / "token" / "..data" / "hub").chmod(0)
    if os.access(mounted / "from" / "token" / "hub", os.R_OK):
        pytest.skip("root reads everything")
    assert start(mounted, "true").returncode != 0


def test_the_proxy_waits_for_its_certificates_and_gets_its_secret_where_no_list_of_processes_shows_it(tmp_path):
    certificates = tmp_path / "certificates"
    (certificates / "proxy-client").mkdir(parents=True)
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "token").write_text("shared-with-the-hub")
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "$CONFIGPROXY_AUTH_TOKEN"\nprintf "%s\\n" "$@"\n')
    program.chmod(0o700)
    environment = os.environ | {
        "MLINFN_SECRETS_TO": str(tmp_path),
        "MLINFN_PROXY": str(program),
        "MLINFN_HUB": "https://hub",
    }
    waiting = subprocess.Popen(
        [IMAGES / "start-proxy", certificates], env=environment, stdout=subprocess.PIPE, text=True
    )
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.communicate(timeout=0.5)
    (certificates / "proxy-client" / "proxy-client.crt").write_text("a certificate")
    token, *arguments = waiting.communicate(timeout=60)[0].splitlines()
    assert token == "shared-with-the-hub"
    assert "shared-with-the-hub" not in arguments
    assert f"--api-ssl-ca={certificates}/proxy-api-ca_trust.crt" in arguments
    assert {"--api-ssl-reject-unauthorized", "--client-ssl-reject-unauthorized", "--port=8000"} <= set(arguments)


def test_what_is_kept_near_is_told_to_its_daemons_until_they_have_heard(tmp_path):
    tool = tmp_path / "bin" / "condor_reconfig"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/told\ntest ! -e {tmp_path}/away\n')
    tool.chmod(0o700)
    for name, mode in (("growing", 0o644), ("people", 0o640)):
        (tmp_path / name).write_text(f"{name} 1")
        (tmp_path / name).chmod(mode)
    (tmp_path / "away").touch()
    words = [who for name, who in (("growing", "negotiator"), ("people", "collector,negotiator")) for who in (
        who, str(tmp_path / name), str(tmp_path / f"near-{name}"))]  # fmt: skip
    environment = {"PATH": f"{tool.parent}:/usr/bin:/bin", "MLINFN_LOOK_SECONDS": "0.05"}
    keeper = subprocess.Popen(
        [IMAGES / "keep-near", *words, "collector", str(tmp_path / "never"), "x"], env=environment
    )

    def told() -> list[str]:
        return (tmp_path / "told").read_text().split() if (tmp_path / "told").exists() else []

    try:
        wait_until(lambda: told().count("-collector") > 2, 60, "a daemon that is away is asked again")
        assert (tmp_path / "near-people").read_text() == "people 1", "what is near stays meanwhile"
        assert (tmp_path / "near-people").stat().st_mode & 0o777 == 0o640
        assert (tmp_path / "near-people").stat().st_mtime == (tmp_path / "people").stat().st_mtime
        (tmp_path / "away").unlink()
        wait_until(lambda: not list(tmp_path.glob("*.untold")), 60, "all have heard")
        heard = len(told())
        (tmp_path / "new").write_text("growing 2")
        (tmp_path / "new").rename(tmp_path / "growing")
        wait_until(lambda: len(told()) > heard, 60, "a change is told")
        assert told()[heard:] == ["-negotiator"]
        assert (tmp_path / "near-growing").read_text() == "growing 2"
    finally:
        keeper.terminate()
        assert keeper.wait(60) == 0


def test_scripts_are_shell_and_can_be_run():
    for path in [
        START,
        IMAGES / "start-proxy",
        IMAGES / "keep-near",
        *(ROOT / "kubernetes" / "probes").iterdir(),
        ROOT / "kubernetes/database/let-roles-in",
    ]:
        assert subprocess.run(["sh", "-n", path], check=False).returncode == 0, path
        assert path.stat().st_mode & 0o111, path
