"""What HTCondor's own files are told after a restore: what ran at the moment of the backup runs no more.

Both files are logs that its daemons read at their start: `103 KEY NAME VALUE` sets an attribute, `102 KEY` ends an ad,
105 and 106, each with a space, enclose a transaction. Without this a restored queue waits for nodes that are gone until
the jobs' leases end, and the negotiator charges those who ran something for all the time until then.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

RUNNING = frozenset({"2", "6"})
"""JobStatus of a job that runs, or sends its output."""
QUEUE, ACCOUNTANT = "job_queue.log", "Accountantnew.log"
_USED = ("ResourcesUsed", "WeightedResourcesUsed", "UnchargedTime", "WeightedUnchargedTime")


def settle(spool: Path) -> None:
    """Append to the logs of this folder that has been restored; nothing is changed of what they say."""
    for name, sentences in ((QUEUE, end_leases), (ACCOUNTANT, end_matches)):
        log = spool / name
        if not log.is_file():
            continue
        with log.open("rb+") as records:
            records.truncate(whole_bytes(records))
        with log.open(errors="surrogateescape") as lines:
            told = list(sentences(lines))
        if told:
            with log.open("a") as lines:
                lines.write("".join(f"{line}\n" for line in ["105 ", *told, "106 "]))


def whole_bytes(log: Iterable[bytes]) -> int:
    """Length of what is whole: a daemon was in the middle of a record, or of a transaction, when it was copied."""
    read = whole = 0
    open_transaction = False
    for line in log:
        read += len(line)
        if not line.endswith(b"\n"):
            break
        operation = line.partition(b" ")[0].strip()
        open_transaction = operation == b"105" or (open_transaction and operation != b"106")
        if not open_transaction:
            whole = read
    return whole


def end_leases(log: Iterable[str]) -> Iterator[str]:
    """Jobs that ran are over their lease, and the schedd itself does what it does with those: they are idle again."""
    status: dict[str, str] = {}
    for operation, key, rest in _told(log):
        if operation == "103" and rest.startswith("JobStatus "):
            status[key] = rest.split()[1]
        elif operation == "102":
            status.pop(key, None)
    for key in sorted(key for key, value in status.items() if value in RUNNING):
        yield f"103 {key} LastJobLeaseRenewal 1"


def end_matches(log: Iterable[str]) -> Iterator[str]:
    """Nobody uses anything now; what everybody used until the backup stays."""
    matches: set[str] = set()
    used: dict[tuple[str, str], str] = {}
    for operation, key, rest in _told(log):
        if operation == "102":
            matches.discard(key)
            used = (
                {place: value for place, value in used.items() if place[0] != key} if key.startswith("Cust") else used
            )
        elif key.startswith("Resource."):
            matches.add(key)
        elif operation == "103" and (name := rest.partition(" ")[0]) in _USED:
            used[key, name] = rest.partition(" ")[2].strip()
    yield from (f"102 {key}" for key in sorted(matches))
    for (key, name), value in sorted(used.items()):
        if float(value or 0) != 0:
            yield f"103 {key} {name} {'0' if '.' not in value else '0.0'}"


def _told(log: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for line in log:
        operation, _, rest = line.rstrip("\n").partition(" ")
        key, _, more = rest.partition(" ")
        yield operation, key, more
