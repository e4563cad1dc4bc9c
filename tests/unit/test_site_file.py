"""A site file: the example is right, answers are asked for until they are, every mistake is told at once."""

import pytest
from typer.testing import CliRunner

from mlinfn_condor.cli.main import app
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.site.asking import QUESTIONS, collect
from mlinfn_condor.site.first_file import Answers, text
from mlinfn_condor.site.settings import parse

EXAMPLE = text(Answers())
BACKUP = "[backup]\nrepository = 's3:https://s3.example/b'\ncredentials = 'mlinfn-backup/keys'\n"


def mistakes(changed: str) -> list[str]:
    with pytest.raises(BadRequest) as caught:
        parse(changed, "mlinfn.toml")
    first, *lines = str(caught.value).split("\n  ")
    return lines or [first.removeprefix("mlinfn.toml: ")]


def test_the_example_is_right_and_short():
    site = parse(EXAMPLE, "mlinfn.toml")
    assert (site.name, site.kubernetes.namespace, site.pool.count("T4")) == ("example", "mlinfn", 8)
    assert len(EXAMPLE.splitlines()) <= 60
    assert site.contracts.pool == site.pool


def test_the_commands_write_check_and_refuse_to_overwrite(tmp_path):
    file = tmp_path / "mlinfn.toml"
    run = CliRunner().invoke
    assert run(app, ["site", "new", "--example", "--output", str(file)]).exit_code == 0
    assert run(app, ["config", "check", str(file)]).exit_code == 0
    again = run(app, ["site", "new", "--example", "--output", str(file)])
    assert "is there already" in str(again.exception)
    assert file.read_text() == EXAMPLE


def test_a_wrong_answer_is_asked_again_with_what_is_wanted(tmp_path):
    file = tmp_path / "mlinfn.toml"
    lines = ["Bari!", "bari", "http://ml.bari", "https://ml.bari.example"] + [""] * 9 + ["T4", "T4=2, A100=1", ""]
    done = CliRunner().invoke(app, ["site", "new", "--output", str(file)], input="\n".join(lines))
    assert done.exit_code == 0, done.output
    assert "wanted is https:// and a name" in done.output
    site = parse(file.read_text(), "mlinfn.toml")
    assert (site.name, site.hosts.public, site.pool.count("A100")) == ("bari", "https://ml.bari.example", 1)


@pytest.mark.parametrize("nfs", ["nfs.example.org:/homes", "10.96.0.77"])
@pytest.mark.parametrize("issuer", ["-", "https://iam.example.org"])
@pytest.mark.parametrize("gpus", ["", "T4=8, A100=2"])
def test_whatever_is_answered_gives_a_file_that_is_right(nfs, issuer, gpus):
    given = {"nfs": nfs, "issuer": issuer, "gpus": gpus}
    asked = {question.ask: question for question in QUESTIONS}
    answers = collect(lambda ask, offered: given.get(asked[ask].field, offered), lambda said: pytest.fail(said))
    parse(text(answers), "mlinfn.toml")


def test_every_mistake_is_told_at_once_with_its_place_and_cure():
    told = mistakes(
        EXAMPLE.replace('public = "https://', 'public = "http://')
        .replace("grace_seconds = 135", "grace_seconds = 60")
        .replace('version = "0.1.0"', 'version = "latest"')
        .replace('"mlinfn-openid/client-secret"', '"hunter2!"')
        .replace("[storage.server]", "[storage.serve]")
        + """
[numbers]
vacate_second = 20
sessions_per_user = 1
[pledges.batch]
alpha = { devices = 9 }
[owners.beta]
[hub.limits.projects.gamma]
[backup]
repository = "s3:https://key:secret@s3.example.org/mlinfn"
[externals]
"""
    )
    for part in (
        "hosts.public: ",
        "kubernetes.images.version: 'latest' may be another image tomorrow",
        "identity.openid.client_secret: this is no reference",
        "storage: nfs.server: missing. Name your NFS server",
        "numbers: vacate_second: the policy has no such number: did you mean vacate_seconds?",
        "pledges.batch: 9 devices are pledged, and the pool has 8",
        "owners.beta: an owner without devices",
        "backup.repository: keys in the address are seen by everybody",
        "externals: there is no such table: did you mean [external]?",
    ):
        assert any(part in line for line in told), (part, told)
    assert "hunter2" not in "\n".join(told)


@pytest.mark.parametrize(
    ("added", "replaced", "part"),
    [
        ("", ("grace_seconds = 135", "grace_seconds = 60"), "grace_seconds: 60 ends a job within its window"),
        ("[numbers]\nvacate_seconds_cap = 300\n", None, "make it 315"),
        ("[numbers]\nvacate_seconds = 200\n", None, "numbers.vacate_seconds: 200 is above vacate_seconds_cap (120)"),
        ("[hub.limits]\nsessions_per_person = 9\n", None, "hub.limits.sessions_per_person: 9, and numbers"),
        ("[hub.limits]\ndevices_per_person = 1\n", None, "below devices_per_session"),
        ("[limits]\ndevices_per_user = 4\n[limits.projects]\nalpha = 2\n", None, "projects.alpha: 2 for all members"),
        ("[limits]\njobs_per_user = 5\n[numbers]\njobs_per_user = 5\n", None, "limits.jobs_per_user says it too"),
        ("[numbers]\ndevices_per_user = 5\n", None, "numbers: devices_per_user: said in limits.devices_per_user"),
        ("[numbers]\nsession_max_devices = 16\n", None, "no node has more than 8 devices"),
        ("[numbers]\nowner_displaces_sessions = 1\n", None, "of another kind"),
        ("[numbers]\nslot_report_seconds = 30\n", None, "provisioning.intervals.report_seconds"),
        ("[identity.members]\nalice = ['gamma']\n", None, "members.alice: gamma: the pool has no such"),
        ("", ('"beta" = "beta"', '"beta" = "gamma"'), "identity.openid.projects: gamma"),
        ("[provisioning.limits.projects]\ngamma = 1\n", None, "provisioning.limits.projects: gamma"),
        ("[provisioning.limits.devices]\nA100 = 1\n", None, "limits.devices.A100: no kind of node has it"),
        ("", ("[kubernetes.gpu_nodes]", "[kubernetes.resources]\nU5 = 'x/y'\n[kubernetes.gpu_nodes]"), "resources.U5:"),
        ("[external]\npools = ['cm.example:9618']\n", None, "external.projects: missing"),
        ("[identity]\nfirst_number = 60000\n", None, "identity: first_number 60000 is not below last_number 59999"),
        ("[identity]\nfirst_number = 5000\n", None, "9618, 65534 are accounts of the platform's images"),
        ("", ('zone = "UTC"', 'zone = "UTC"\ndata = "https://data.example"'), "hosts.data: https://data.example: noth"),
        ("[database]\nhost = 'localhost'\n", None, "no address that pods reach"),
        ("[database]\nhost = 'db.example'\nsize = '1Gi'\n", None, "database.size"),
        ("[database]\nrest_keys = 'se cret'\n", None, "database.rest_keys: this is no reference"),
        ("", ('registry = ', 'postgresql = "postgres"\nregistry = '), "names no version"),
        ("", ('registry = ', 'digests = { platform = "sha256:12" }\nregistry = '), "a digest is sha256:"),
        ("", ('address = "10.96.0.49"', ""), "address: missing"),
        ("[storage.nfs]\nserver = 'nfs'\n", None, "leave one out"),
        ("", ("[storage.server]", "[storage]\nprovider = 'local'\n[storage.server]"), "storage.provider: "),
        ("", ("[storage.server]", "[storage]\nroot = '/x'\n[storage.server]"), "root: in a cluster"),
        ("[backup]\nrepository = '/srv/b'\n", None, "a folder of a pod is gone with it"),
        ("[backup]\nrepository = 's3:https://s3.example/b'\n", None, "backup: credentials: missing"),
        (f"{BACKUP}late_after_hours = 20\n", None, "late_after_hours 20.0 is not above every_hours 24"),
        (f"{BACKUP}password = 'mlinfn-database/password'\n", None, "that Secret has the database's passwords"),
        (f"{BACKUP}password = 'mlinfn-backup/keys'\n", None, "each is a key of its own"),
        (f"{BACKUP}password = 'in clear!'\n", None, "backup.password: this is no reference"),
        (f"{BACKUP}password_file = '/p'\n", None, "backup.password_file: "),
        (BACKUP.replace("s3.example", "10.96.0.49"), None, "10.96.0.49 also has the homes"),
        ("", ('zone = "UTC"', 'zone = "Rome"'), "hosts.zone: 'Rome' is no time zone"),
        ("[[schedules]]\nowner='a'\nname='n'\ncommand=['x']\nfolder='/h'\n", None, "schedules.0: say when"),
        ("[[schedules]]\nowner='a'\nname='n'\ncommand=['x']\nfolder='/h'\nevery=60\nproject='gamma'\n", None,
         "schedules.0.project: gamma"),
        ("", ("\n[hosts]", "\n[host]"), "hosts: missing"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_alone(added, replaced, part):
    changed = EXAMPLE.replace(*replaced) + added if replaced else EXAMPLE + added
    assert changed != EXAMPLE
    told = mistakes(changed)
    assert any(part in line for line in told), told
    assert len(told) <= 2, told


def test_a_mistake_in_one_section_does_not_hide_what_does_not_fit_elsewhere():
    told = mistakes(EXAMPLE.replace('public = "https', 'public = "ftp') + "[pledges.batch]\nalpha = { devices = 9 }\n")
    assert [line.partition(":")[0] for line in told] == ["hosts.public", "pledges.batch"]
