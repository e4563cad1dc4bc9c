"""What a cloud's servers mean: who has which devices, since when, and what stays of what was known."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlinfn_condor.accounting.inventory import rows
from mlinfn_condor.accounting.inventory.cloud.deciding import Decision, decide
from mlinfn_condor.accounting.inventory.cloud.flavors import asked
from mlinfn_condor.accounting.inventory.cloud.importing import deleted_since
from mlinfn_condor.accounting.inventory.cloud.meaning import Meaning, read
from mlinfn_condor.accounting.inventory.cloud.server import Server
from mlinfn_condor.accounting.inventory.rows import Grant, InventoryWrong

MEANING = Meaning.model_validate(
    {
        "devices": {"t4": "T4", "nic": "", "fpga-u55c": {"model": "U55C", "kind": "fpga"}},
        "projects": {"hosting": "alpha", "p2": {"given_to": "", "owner_project": "gamma"}},
    }
)


def day(number: int, month: int = 2) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


VM = Server(
    "1a2b3c4d-0000", "train", "p1", "hosting", "ACTIVE", day(1), day(1), None, 16, 64000,
    {"pci_passthrough:alias": "t4:2"}, {},
)  # fmt: skip


def told(
    servers: Collection[Server],
    known: Sequence[Grant] = (),
    now: datetime = day(10),
    nodes: Collection[str] = (),
    meaning: Meaning = MEANING,
    anew: bool = False,
) -> list[Grant]:
    return list(decide(servers, known, nodes, meaning, now, anew=anew).grants)


def times(grants: list[Grant], device: str = "T4-0") -> list[tuple[datetime, datetime | None]]:
    return [(g.since, g.until) for g in grants if g.devices and g.devices[0].endswith(f"/{device}")]


def test_a_server_is_a_machine_and_its_devices_since_it_was_created() -> None:
    machine, first, second = told([VM])
    assert (machine.name, machine.devices, machine.cpus, machine.memory_mb) == ("train@1a2b3c4d", (), 16, 64000)
    assert [d.devices for d in (first, second)] == [("train@1a2b3c4d/T4-0",), ("train@1a2b3c4d/T4-1",)]
    assert {(g.given_to, g.since, g.until) for g in (machine, first, second)} == {("alpha", day(1), None)}
    assert (first.kind, first.model, first.cpus) == ("gpu", "T4", None)


@pytest.mark.parametrize(
    ("specs", "counts"),
    [
        ({"pci_passthrough:alias": "t4:2, a100"}, {"t4": 2, "a100": 1}),
        ({"resources:VGPU": "1", "resources:VCPU": "0", "trait:CUSTOM_A": "required"}, {"VGPU": 1}),
        ({"resources1:CUSTOM_FPGA": "2", "resources_B:CUSTOM_FPGA": "1"}, {"CUSTOM_FPGA": 3}),
        ({"resources:CUSTOM_BAREMETAL": "0"}, {}),
        ({"accel:device_profile": "fpga-u55c", "hw:numa_nodes": "2"}, {"fpga-u55c": 1}),
    ],
)
def test_devices_of_a_flavor(specs: dict[str, str], counts: dict[str, int]) -> None:
    assert asked(specs) == counts


def test_a_flavor_with_two_models_and_something_that_is_no_accelerator() -> None:
    vm = replace(VM, extra_specs={"pci_passthrough:alias": "nic:4,t4:1", "accel:device_profile": "fpga-u55c"})
    assert [(g.kind, g.model) for g in told([vm]) if g.devices] == [("fpga", "U55C"), ("gpu", "T4")]


def test_devices_that_the_map_does_not_know_are_told_all_at_once() -> None:
    vm = replace(VM, extra_specs={"pci_passthrough:alias": "a30:1,t4:1", "resources:VGPU": "one"})
    other = replace(VM, id="ffffffff", extra_specs={"pci_passthrough:alias": "a30:1,l40:1"})
    with pytest.raises(InventoryWrong) as caught:
        told([vm, other])
    first, *lines = str(caught.value).splitlines()
    assert first == "nothing was imported:"
    assert ["VGPU" in lines[0], "'a30'" in lines[1], "'l40'" in lines[2]] == [True] * 3


def test_who_has_it_and_who_paid() -> None:
    said = MEANING.model_copy(update={"metadata": MEANING.metadata.model_copy(update={"given_to": "for"})})
    other = replace(VM, project="p2", project_name="")
    unknown = replace(VM, project="p3", project_name="delta")
    for vm, meaning, whose in (
        (VM, MEANING, ("alpha", "")),
        (other, MEANING, ("", "gamma")),
        (unknown, MEANING, ("delta", "")),
        (replace(VM, metadata={"for": "beta"}), MEANING, ("alpha", "")),
        (replace(VM, metadata={"for": "beta"}), said, ("beta", "")),
    ):
        assert {(g.given_to, g.owner_project) for g in told([vm], meaning=meaning) if g.devices} == {whose}


def test_a_server_that_serves_the_pool_is_given_to_nobody_even_if_it_was_before() -> None:
    decision = decide([VM], told([VM]), ["TRAIN.site.example"], MEANING, day(10))
    assert decision == Decision((), ("train",))


def test_the_same_again_is_the_same() -> None:
    gone = replace(VM, id="2222", status="DELETED", ended=day(5))
    first = told([VM, gone])
    assert times(first) == [(day(1), None), (day(1), day(5))]
    assert sorted(told([VM, gone], first, now=day(20)), key=str) == sorted(first, key=str)


def test_a_server_that_is_gone_ends_when_the_cloud_says_so_else_when_it_was_missed() -> None:
    known = told([VM])
    missed = told([], known)
    assert times(missed) == [(day(1), day(10))]
    assert times(told([], missed, now=day(20))) == [(day(1), day(10))]
    deleted = replace(VM, status="DELETED", ended=day(7))
    assert times(told([deleted], known)) == times(told([deleted], missed, now=day(20))) == [(day(1), day(7))]


@pytest.mark.parametrize("status", ["SHUTOFF", "PAUSED", "SHELVED"])
def test_a_server_that_only_stands_still_keeps_its_devices(status: str) -> None:
    assert times(told([replace(VM, status=status)])) == [(day(1), None)]


def test_a_server_that_gave_its_devices_back_and_takes_them_again() -> None:
    away = told([replace(VM, status="SHELVED_OFFLOADED")], told([VM]))
    assert times(away) == [(day(1), day(10))]
    back = told([replace(VM, launched=day(15))], away, now=day(20))
    assert times(back) == [(day(1), day(10)), (day(15), None)]
    never_back = told([replace(VM, status="DELETED", ended=day(18))], away, now=day(20))
    assert times(never_back) == [(day(1), day(10))]


def test_a_server_that_was_only_overlooked_was_never_away() -> None:
    assert times(told([VM], told([], told([VM])), now=day(20))) == [(day(1), day(10)), (day(10), None)]


def test_a_server_that_never_ran_was_granted_nothing() -> None:
    assert told([replace(VM, launched=None, status="ERROR")]) == []


def test_a_resize_counts_from_the_import_that_sees_it() -> None:
    bigger = replace(VM, cpus=32, extra_specs={"pci_passthrough:alias": "t4:1", "accel:device_profile": "fpga-u55c"})
    grants = told([bigger], told([VM]))
    assert times(grants) == [(day(1), None)]
    assert times(grants, "T4-1") == [(day(1), day(10))]
    assert times(grants, "U55C-0") == [(day(10), None)]
    assert [(g.cpus, g.since, g.until) for g in grants if not g.devices] == [
        (16, day(1), day(10)),
        (32, day(10), None),
    ]
    assert sorted(told([bigger], grants, now=day(20)), key=str) == sorted(grants, key=str)


def test_a_new_map_counts_from_now_and_with_anew_for_the_past_of_servers_that_are_known() -> None:
    other = Meaning.model_validate({"devices": {"t4": "T4"}, "projects": {"hosting": "beta"}})
    away = replace(VM, id="3333", status="SHELVED_OFFLOADED")
    known = told([VM, replace(away, status="ACTIVE"), replace(VM, id="2222")])
    later = told([VM, away], known, meaning=other)
    assert times(later) == [(day(1), day(10)), (day(10), None), (day(1), day(10)), (day(1), day(10))]
    fresh = told([VM, away], known, meaning=other, anew=True)
    assert [(g.given_to, g.until) for g in fresh if not g.devices] == [
        ("beta", None),
        ("alpha", day(10)),
        ("alpha", day(10)),
    ]


def test_a_renamed_server_keeps_the_name_it_was_known_by() -> None:
    known = told([VM])
    assert told([replace(VM, name="other/name")], known, now=day(20)) == known


def test_two_servers_that_could_be_confused_are_refused() -> None:
    with pytest.raises(InventoryWrong, match="several servers have ids that begin with 1a2b3c4d"):
        told([VM, replace(VM, id="1a2b3c4d-1111")])


def test_what_must_be_asked_of_deleted_servers() -> None:
    assert deleted_since([]) is None
    known = told([VM, replace(VM, id="2222", created=day(3), status="DELETED", ended=day(5))])
    assert deleted_since(known) == day(1)
    assert deleted_since(told([], known)) == day(10)


def test_mistakes_of_the_map_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('[devices]\nt4 = { model = "T4", kind = "tpu" }\n[projects]\na = { owner = "x" }\n')
    with pytest.raises(InventoryWrong) as caught:
        read(path)
    assert all(word in str(caught.value) for word in ("devices.t4.kind", "projects.a.given_to", "projects.a.owner"))
    path.write_text("[devices\n")
    with pytest.raises(InventoryWrong, match=r"map\.toml"):
        read(path)
    with pytest.raises(InventoryWrong, match="No such file"):
        read(tmp_path / "none.toml")
    path.write_text('[devices]\nt4 = "T4"\n')
    assert read(path).devices["t4"].model == "T4"


def test_the_guides_examples_are_read_as_they_stand(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "accounting.md").read_text()
    (csv,) = re.findall(r"^```\n(name,.*?)^```", guide, re.DOTALL | re.MULTILINE)
    assert [len(grant.devices) for grant in rows.read(csv.splitlines(keepends=True))] == [2, 8, 1]
    (toml,) = re.findall(r"^```toml\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    (tmp_path / "map.toml").write_text(toml)
    meaning = read(tmp_path / "map.toml")
    assert (meaning.devices["nic"].model, meaning.projects["platform"].given_to) == ("", "")
