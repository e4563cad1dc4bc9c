"""Whatever happens to a cloud's servers between imports: no device is granted twice, and nothing is invented."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.accounting.inventory.cloud.deciding import decide
from mlinfn_condor.accounting.inventory.cloud.meaning import Meaning
from mlinfn_condor.accounting.inventory.cloud.server import Server
from mlinfn_condor.accounting.inventory.rows import Grant

START = datetime(2026, 3, 1, tzinfo=UTC)
MEANING = Meaning.model_validate({"devices": {"t4": "T4", "a30": "A30"}})
SEEN = ("create", "delete", "resize", "shelve", "unshelve", "rename")
EVENTS = (*SEEN, "hide", "show", "forget", "import", "anew")


class Cloud:
    """Servers by number; hidden ones are there, but not told of."""

    def __init__(self) -> None:
        self.servers: dict[int, Server] = {}
        self.hidden: set[int] = set()
        self.was: dict[int, set[int]] = defaultdict(set)
        """Hours in which a server really held something."""

    def happens(self, what: str, number: int, hour: int) -> None:
        now = START + timedelta(hours=hour)
        server = self.servers.get(number)
        if what == "create" and server is None:
            self.servers[number] = Server(
                f"{number:08d}", f"vm{number}", "p", "alpha", "ACTIVE", now, now, None, 4, 100,
                {"pci_passthrough:alias": "t4:1"}, {},
            )  # fmt: skip
        elif what == "hide":
            self.hidden.add(number)
        elif what == "show":
            self.hidden.discard(number)
        elif server is None:
            return
        elif what == "forget" and server.ended:
            self.hidden.add(number)
        elif server.ended:
            return
        elif what == "delete":
            self.servers[number] = replace(server, status="DELETED", ended=now)
        elif what == "resize":
            other = "a30:2" if server.extra_specs["pci_passthrough:alias"] == "t4:1" else "t4:1"
            self.servers[number] = replace(server, extra_specs={"pci_passthrough:alias": other}, cpus=server.cpus + 1)
        elif what == "shelve":
            self.servers[number] = replace(server, status="SHELVED_OFFLOADED")
        elif what == "unshelve" and server.status == "SHELVED_OFFLOADED":
            self.servers[number] = replace(server, status="ACTIVE", launched=now)
        elif what == "rename":
            self.servers[number] = replace(server, name=f"{server.name}x")

    def passes(self, hour: int) -> None:
        for number, server in self.servers.items():
            if server.ended is None and server.status == "ACTIVE":
                self.was[number].add(hour)

    def told(self) -> list[Server]:
        return [server for number, server in self.servers.items() if number not in self.hidden]


def never_twice(grants: list[Grant]) -> None:
    held = defaultdict(list)
    for grant in grants:
        held[grant.name.rpartition("@")[2], grant.devices and grant.devices[0].rpartition("/")[2]].append(grant)
    for periods in held.values():
        for first, second in pairwise(sorted(periods, key=lambda g: g.since)):
            assert first.until is not None
            assert first.until <= second.since


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 1)), max_size=25))
def test_no_device_is_granted_twice_and_the_same_again_is_the_same(life: list[tuple[str, int]]) -> None:
    cloud, known = Cloud(), list[Grant]()
    for hour, (what, number) in enumerate(life):
        cloud.happens(what, number, hour)
        if what not in ("import", "anew"):
            continue
        now = START + timedelta(hours=hour, minutes=1)
        known = list(decide(cloud.told(), known, (), MEANING, now, anew=what == "anew").grants)
        never_twice(known)
        assert all(grant.since < now and (grant.until is None or grant.until <= now) for grant in known)
        again = decide(cloud.told(), known, (), MEANING, now + timedelta(hours=0.5)).grants
        assert sorted(again, key=str) == sorted(known, key=str)
        for grant in known:  # after its deletion nothing is granted where the cloud tells of it
            server = cloud.servers[int(grant.name.rpartition("@")[2])]
            if server.ended and server in cloud.told():
                assert grant.until is not None
                assert grant.until <= server.ended


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SEEN), st.integers(0, 1)), max_size=20))
def test_with_an_import_each_hour_the_machine_is_granted_for_exactly_its_hours(life: list[tuple[str, int]]) -> None:
    cloud, known = Cloud(), list[Grant]()
    for hour, (what, number) in enumerate(life):
        cloud.happens(what, number, hour)
        cloud.passes(hour)
        known = list(decide(cloud.told(), known, (), MEANING, START + timedelta(hours=hour)).grants)
    end = START + timedelta(hours=len(life))
    granted: dict[int, float] = defaultdict(float)
    for grant in known:
        if not grant.devices:
            granted[int(grant.name.rpartition("@")[2])] += ((grant.until or end) - grant.since) / timedelta(hours=1)
    assert granted == {number: len(hours) for number, hours in cloud.was.items()}
