"""What an inventory file says, and what is wrong with it."""

from datetime import UTC, datetime

import pytest

from mlinfn_condor.accounting.inventory.rows import InventoryWrong, read

HEADER = "name,device,devices,kind,model,owner_project,given_to,cpus,memory_mb,from,until\n"


def mistakes(*rows: str, header: str = HEADER) -> list[str]:
    with pytest.raises(InventoryWrong) as caught:
        read([header, *(f"{row}\n" for row in rows)])
    first, *others = str(caught.value).splitlines()
    assert first == "nothing was imported:"
    return others


def test_a_vm_with_a_count_of_devices_names_them_by_number() -> None:
    (grant,) = read([HEADER, "vm1,,2,,A100,alpha,beta,16,64000,2026-01-31,2026-02-28T01:00+01:00\n"])
    assert grant.devices == ("vm1/0", "vm1/1")
    assert (grant.kind, grant.owner_project, grant.given_to, grant.cpus) == ("gpu", "alpha", "beta", 16)
    assert (grant.since, grant.until) == (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC))


def test_a_server_without_devices_needs_two_columns() -> None:
    (grant,) = read(["name,from\n", "n1,2026-01-01\n"])
    assert (grant.devices, grant.until, grant.cpus) == ((), None, None)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",,,,,,,,,2026-01-01,", "name is empty"),
        ("n1,GPU-1,,,,,,,,2026-01-01,", "model is empty"),
        ("n1,GPU-1,2,,A100,,,,,2026-01-01,", "exclude each other"),
        ("n1,GPU-1,,tpu,A100,,,,,2026-01-01,", "write gpu or fpga"),
        ("n1,,,,,,,-1,,2026-01-01,", "cpus '-1'"),
        ("n1,,,,,,,,4294967296,2026-01-01,", "memory_mb '4294967296'"),
        ("n1,,100000,,A100,,,,,2026-01-01,", "devices '100000'"),
        ("n1,,,,,,,,,,", "from is empty"),
        ("n1,,,,,,,,,31/01/2026,", "from '31/01/2026'"),
        ("n1,,,,,,,,,0001-01-01T00:00+12:00,", "from '0001"),
        ("n1,,,,,,,,,2026-01-01,2026-01-01", "until is not after from"),
        ("n1,,,,,,,,,2026-01-01,,more", "more fields than the header"),
    ],
)
def test_each_mistake_has_its_line(row: str, told: str) -> None:
    (line,) = mistakes("n0,,,,,,,,,2026-01-01,", row)
    assert line.startswith("line 3: ")
    assert told in line


def test_every_mistake_is_told_at_once() -> None:
    assert [line[:7] for line in mistakes(",,,tpu,,,,,,2026-01-01,", "n1,,,,,,,x,,,")] == ["line 2:"] * 2 + [
        "line 3:"
    ] * 2


def test_a_header_is_checked_before_any_row() -> None:
    told = mistakes("x", header="name,colour,name\n")
    assert [word in line for word, line in zip(("'from' is", "'colour'", "twice"), told, strict=True)] == [True] * 3
    assert len(mistakes(header="")) == 2


def test_a_device_is_granted_once_at_a_time() -> None:
    long, inside, after = "n1,G,,,A,,,,,2026-01-01,2026-12-31", "2026-02-01,2026-03-01", "2026-04-01,2026-05-01"
    told = mistakes(long, f"n1,G,,,A,,,,,{inside}", f"n1,G,,,A,,,,,{after}")
    assert [line.split(":")[0] for line in told] == ["line 3", "line 4"]
    assert all("granted in line 2 too" in line for line in told)


def test_periods_that_touch_do_not_overlap() -> None:
    assert len(read([HEADER, "n1,G,,,A,,,,,2026-02-01,\n", "n1,G,,,A,,,,,2026-01-01,2026-02-01\n"])) == 2
