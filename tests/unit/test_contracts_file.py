"""A contracts file: every mistake at once, and the same file gives the same configuration."""

import pytest

from mlinfn_condor.cli.contracting import render as render_command
from mlinfn_condor.contracts.hours import weekdays, within
from mlinfn_condor.contracts.render import render, shared_out
from mlinfn_condor.contracts.settings import parse
from mlinfn_condor.errors import BadRequest

POOL = """
[pool]
projects = ["alpha", "beta"]
[pool.nodes.a]
cpus = 8
gpus = { T4 = 5 }
[pool.nodes.b]
gpus = { T4 = 2 }
"""


def refusal(text: str) -> str:
    with pytest.raises(BadRequest) as caught:
        parse(POOL + text, "site.toml")
    return str(caught.value)


def test_every_promise_that_cannot_be_kept_is_told_at_once():
    told = refusal("""
[pledges.batch]
alpha = { devices = 6, cpus = 9 }
beta = { devices = 2 }
[pledges.dask]
gamma = { devices = 1 }
[owners.alpha]
devices = ["GPU-1"]
nodes = ["c"]
[owners.beta]
devices = ["GPU-1"]
[[headroom]]
model = "T4"
free = 8
[[headroom]]
model = "H100"
free = 1
[[windows]]
models = ["T4"]
at_most = 7
hours = "8-20"
[limits.projects]
delta = 1
""")
    for part in (
        "pledges.batch: 8 devices are pledged, and the pool has 7",
        "pledges.batch: 9 cpus are pledged, and the pool has 8",
        "pledges.dask: gamma: the pool has no such project",
        "owners: GPU-1 belongs to alpha and beta",
        "owners.alpha.nodes: c: the pool has no such node",
        "headroom.0.free: 8, and the pool has 7 T4",
        "headroom.1.model: H100: the pool has no such model",
        "windows.0.at_most: 7 holds nothing back",
        "limits.projects: delta",
    ):
        assert part in told
    assert "9 mistakes" in told


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('[[windows]]\nmodels = ["T4"]\nhours = "8-8"\n', "windows.0.hours: '8-8' are no hours"),
        ('[[windows]]\nmodels = ["T4"]\nhours = "8-25"\n', "no hours"),
        ('[[headroom]]\nmodel = "T4"\nfree = 1\ndays = "monday"\n', "headroom.0.days: 'monday' are no days"),
        ('[[headroom]]\nmodel = "T4\\"x"\nfree = 1\n', "headroom.0.model"),
        ('[[windows]]\nmodels = ["T4"]\nhours = "8-9"\nat_most = 2\nrunning = "leaves"\n', "needs a closed window"),
        ("[pledges.nightly]\nalpha = { devices = 1 }\n", "pledges.nightly"),
        ("[limit]\n", "limit"),
        ("[limits]\ndevices_per_user = -1\n", "limits.devices_per_user"),
        ("not toml", "is no TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, part):
    assert part in refusal(text)


def test_the_same_contracts_give_the_same_text():
    one = "[pledges.batch]\nalpha = { devices = 2 }\nbeta = { devices = 1 }\n"
    other = "[pledges.batch]\nbeta = { devices = 1 }\nalpha = { devices = 2 }\n"
    assert render(parse(POOL + one, "")) == render(parse(POOL + other, ""))


def test_rendering_writes_a_whole_file(tmp_path, capsys):
    (tmp_path / "site.toml").write_text(POOL)
    render_command(tmp_path / "site.toml", tmp_path / "out")
    assert (tmp_path / "out/contracts.conf").read_text() == render(parse(POOL, ""))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["contracts.conf"]


@pytest.mark.parametrize(
    ("count", "shares"), [(0, (0, 0)), (1, (1, 0)), (4, (4, 0)), (5, (4, 1)), (7, (5, 2)), (9, (5, 2))]
)
def test_held_devices_are_shared_out_from_the_fullest_node(count, shares):
    pool = parse(POOL, "").pool
    given = shared_out(pool, "T4", count)
    assert (given["a"], given["b"]) == shares


def test_days_go_round_the_end_of_the_week():
    assert weekdays("fri-mon") == (0, 1, 5, 6)
    assert weekdays("sun-sat") == (0, 1, 2, 3, 4, 5, 6)


def test_a_night_belongs_to_the_evening_on_which_it_begins():
    assert '"5"' in within("22-6", "fri").split("||")[0]
    assert '"6"' in within("22-6", "fri").split("||")[1]
