"""Records of attempts and jobs as lines for COPY."""

import csv
import re
from pathlib import Path

import pytest

from mlinfn_condor.accounting.records import ATTEMPT_COLUMNS, JOB_COLUMNS, Unreadable, attempt, job

START, END = 1_700_000_000, 1_700_003_600
ATTEMPT = {
    "EpochAdType": '"EPOCH"',
    "ClusterId": "12",
    "ProcId": "3",
    "NumShadowStarts": "2",
    "QDate": str(START - 60),
    "JobCurrentStartDate": str(START),
    "EpochWriteDate": str(END),
    "ExitBySignal": "false",
    "ExitCode": "0",
    "Owner": '"alice"',
    "Project": '"alpha"',
    "PriorityClass": '"batch"',
    "RemoteHost": '"slot7_2@server1@host"',
    "AssignedGPUs": '"GPU-1"',
    "Cmd": '"/home/alice/train"',
}
JOB = {
    "ClusterId": "12",
    "ProcId": "3",
    "QDate": str(START - 60),
    "JobStatus": "4",
    "CompletionDate": str(END),
    "EnteredCurrentStatus": str(END),
    "NumShadowStarts": "2",
    "RemoteWallClockTime": "3600.0",
    "ExitCode": "0",
    "Owner": '"alice"',
}
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\"}


def written(ad: dict[str, str | None]) -> bytes:
    return "".join(f"{name} = {value}\n" for name, value in ad.items() if value is not None).encode()


def unescaped(value: str) -> str | None:
    """What PostgreSQL makes of a field of COPY's text form."""
    return None if value == r"\N" else re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], value)


def read(record: bytes) -> dict[str, str | None]:
    line = attempt(record)
    assert line is not None
    assert b"\n" not in line
    fields = line.decode().split("\t")
    return dict(zip(ATTEMPT_COLUMNS, map(unescaped, fields), strict=True))


def attempted(**changed: str | None) -> dict[str, str | None]:
    return read(written(ATTEMPT | changed))


def left(**changed: str | None) -> dict[str, str | None]:
    fields = job(written(JOB | changed)).decode().split("\t")
    return dict(zip(JOB_COLUMNS, map(unescaped, fields), strict=True))


def test_every_column_has_its_value() -> None:
    assert attempted() == {
        "cluster": "12", "proc": "3", "run": "2", "submitted": str(START - 60), "started": str(START),
        "ended": str(END), "exit_code": "0", "memory_mb": None, "memory_asked_mb": None, "memory_peak_kb": None,
        "device_memory_peak_mb": None, "cpus": None, "cpus_asked": None, "cpus_used": None, "devices_busy": None,
        "watts": None, "lost_s": "0", "outcome": "completed", "username": "alice", "project": "alpha",
        "class": "batch", "node": "server1", "slot": "slot7_2", "task": "train", "devices": '{"GPU-1"}', "model": "",
        "reason": None,
    }  # fmt: skip


BY_ITSELF = {"ExitBySignal": "false"}
KILLED = {"ExitBySignal": "true", "ExitCode": None, "ExitSignal": "9"}


@pytest.mark.parametrize(
    ("ad", "outcome", "lost"),
    [
        ({}, "completed", 0),
        ({"VacateReasonCode": "0"}, "completed", 0),
        ({"ExitCode": "3"}, "failed", 3600),
        ({"ExitCode": "-1"}, "failed", 3600),
        ({"ExitCode": "3", "LastCkptTime": str(START + 3000)}, "failed", 600),
        ({"ExitCode": None}, "failed", 3600),
        ({"ExitCode": "undefined"}, "failed", 3600),
        (KILLED, "failed", 3600),
        (KILLED | {"LastCkptTime": str(START + 3000)}, "failed", 600),
        # A session took the slot: the payload saved and ended, or a signal ended it.
        (BY_ITSELF | {"VacateReasonCode": "1003"}, "displaced", 0),
        (BY_ITSELF | {"VacateReasonCode": "1003", "ExitCode": "85"}, "displaced", 0),
        (KILLED | {"VacateReasonCode": "1003"}, "displaced", 3600),
        (KILLED | {"VacateReasonCode": "1003", "LastCkptTime": str(START + 3590)}, "displaced", 10),
        (KILLED | {"VacateReasonCode": "1003", "LastCkptTime": str(START - 100)}, "displaced", 3600),
        (KILLED | {"VacateReasonCode": "1003", "LastCkptTime": str(END + 100)}, "displaced", 0),
        (KILLED | {"VacateReasonCode": "1003", "LastCkptTime": "undefined"}, "displaced", 3600),
        (KILLED | {"VacateReasonCode": "1037"}, "displaced", 3600),
        # His owner removed or held it: he had what there was.
        (KILLED | {"VacateReasonCode": "1"}, "removed", 0),
        (KILLED | {"VacateReasonCode": "1023"}, "removed", 0),
        # Shadow, starter and node, and holds by the pool.
        (KILLED | {"VacateReasonCode": "1007"}, "failed", 3600),
        ({"VacateReasonCode": "34"}, "failed", 3600),
        ({"VacateReasonCode": "1038"}, "failed", 3600),
        ({"VacateReasonCode": "undefined"}, "completed", 0),
    ],
)
def test_outcome_and_lost_seconds(ad: dict[str, str | None], outcome: str, lost: int) -> None:
    found = attempted(**ad)
    assert (found["outcome"], found["lost_s"]) == (outcome, str(lost))


@pytest.mark.parametrize(
    ("standing", "meant"),
    [
        (r'"a \"quoted\" word"', 'a "quoted" word'),
        (r'"C:\new\table"', r"C:\new\table"),
        (r'"ends with \ "', "ends with \\ "),
        (r'"first\nsecond"', r"first\nsecond"),
        (r'"\N"', r"\N"),
        (r'"\."', r"\."),
        ('"a\ttab"', "a\ttab"),
        ('"a\rreturn"', "a\rreturn"),
        ('"größe – 計算"', "größe – 計算"),
        ('"a = b"', "a = b"),
        ('""', ""),
        ('"{a,b}"', "{a,b}"),
    ],
)
def test_strings_come_through_copy_as_they_stand(standing: str, meant: str) -> None:
    assert attempted(JobBatchName=None, VacateReason=standing)["reason"] == meant
    assert attempted(Owner=standing)["username"] == meant


def test_what_is_not_utf8_becomes_a_mark_and_the_rest_stays() -> None:
    record = written(ATTEMPT).replace(b"/home/alice/train", b"/home/alice/tr\xff\xfe\x00in")
    assert read(record)["task"] == "tr\ufffd\ufffdin"


@pytest.mark.parametrize("name", ["ClusterId", "ProcId", "QDate", "Owner", "JobCurrentStartDate", "EpochWriteDate"])
@pytest.mark.parametrize("value", [None, "undefined", "error"])
def test_what_an_attempt_cannot_be_without(name: str, value: str | None) -> None:
    with pytest.raises(Unreadable, match=f"^{name} is {value or 'missing'}$"):
        attempted(**{name: value})


def test_the_start_of_the_shadow_stands_in_for_that_of_the_job() -> None:
    assert attempted(JobCurrentStartDate=None, ShadowBday=str(START + 1))["started"] == str(START + 1)


@pytest.mark.parametrize("name", ["ClusterId", "ProcId", "QDate", "Owner"])
def test_what_a_job_cannot_be_without(name: str) -> None:
    with pytest.raises(Unreadable, match=f"^{name} is missing$"):
        left(**{name: None})


def test_a_line_that_is_no_attribute_is_told() -> None:
    with pytest.raises(Unreadable, match="no attribute: b'garbage'"):
        attempt(b"garbage\n" + written(ATTEMPT))


def test_a_record_that_was_torn_does_not_speak_for_the_next_one() -> None:
    """Its writer was killed in a line, and the next one went on in it."""
    torn = written(ATTEMPT | {"VacateReasonCode": "1003"})
    for cut in range(1, len(torn) + 1):
        glued = torn[:cut] + written({"AccountingGroup": '"group"'} | ATTEMPT)
        if cut < len("EpochAdType = "):  # only a first name: nothing is there twice
            assert read(glued)["outcome"] == "completed"
        else:
            with pytest.raises(Unreadable, match="torn"):
                attempt(glued)


@pytest.mark.parametrize("kind", ['"SPAWN"', '"TRANSFER"', None, "undefined"])
def test_other_kinds_of_epoch_are_no_attempt(kind: str | None) -> None:
    assert attempt(written(ATTEMPT | {"EpochAdType": kind})) is None


@pytest.mark.parametrize("value", [None, "undefined", "error", 'real("NaN")', 'real("INF")', "a + b", '"text"'])
def test_what_is_not_known_is_null_and_never_zero(value: str | None) -> None:
    names = {
        "MemoryProvisioned": "memory_mb", "RequestMemory": "memory_asked_mb", "ResidentSetSize": "memory_peak_kb",
        "GPUsMemoryUsage": "device_memory_peak_mb", "CpusProvisioned": "cpus", "RequestCpus": "cpus_asked",
        "CpusUsage": "cpus_used", "ExitCode": "exit_code",
    }  # fmt: skip
    found = attempted(**dict.fromkeys(names, value))
    assert {found[column] for column in names.values()} == {None}


def test_the_peak_of_memory_is_what_was_measured_not_what_was_rounded_up() -> None:
    assert attempted(ResidentSetSize_RAW="4097", ResidentSetSize="5000")["memory_peak_kb"] == "4097"


METERED = {
    "GPUsMeteredAtUsage": str(START + 100),
    "GPUsAverageUsage": "0.4",
    "GPUsMeasuredAverageUsage": "0.8",
    "GPUsWattsAverageUsage": "50.0",
    "GPUsWattsMeasuredAverageUsage": "0.5",
}


@pytest.mark.parametrize(
    ("changed", "busy", "watts"),
    [
        ({}, "0.5", "100"),
        ({"AssignedGPUs": '"GPU-1,GPU-2"'}, "1", "200"),
        ({"GPUsMeteredAtUsage": str(START)}, "0.5", "100"),
        ({"GPUsMeteredAtUsage": str(START - 1)}, None, None),
        ({"GPUsMeteredAtUsage": None}, None, None),
        ({"GPUsMeteredAtUsage": "undefined"}, None, None),
        ({"GPUsAverageUsage": "0.0"}, "0", "100"),
        ({"GPUsMeasuredAverageUsage": "0.0"}, None, "100"),
        ({"GPUsMeasuredAverageUsage": None}, None, "100"),
        ({"GPUsWattsAverageUsage": "undefined"}, "0.5", None),
        ({"AssignedGPUs": None}, None, None),
        ({"AssignedGPUs": "undefined"}, None, None),
    ],
)
def test_figures_of_devices(changed: dict[str, str | None], busy: str | None, watts: str | None) -> None:
    found = attempted(**METERED | changed)
    assert (found["devices_busy"], found["watts"]) == (busy, watts)


def test_gpus_come_before_fpgas_and_quotes_are_refused() -> None:
    found = attempted(AssignedGPUs='"GPU-1, GPU-2"', AssignedFPGAs='"FPGA-1"')["devices"]
    assert next(csv.reader([str(found).strip("{}")])) == ["GPU-1", "GPU-2", "FPGA-1"]
    for name in (r'"GPU\"1"', r'"GPU\1"', '"GPU\t1"'):
        with pytest.raises(Unreadable, match="quote"):
            attempted(AssignedGPUs=name)


def test_a_clock_that_was_set_back_makes_an_attempt_of_no_length() -> None:
    found = attempted(EpochWriteDate=str(START - 500), ExitCode="1")
    assert (found["started"], found["ended"], found["lost_s"]) == (str(START), str(START), "0")


@pytest.mark.parametrize(
    ("host", "node", "slot"),
    [
        ('"slot1_2@server1@host"', "server1", "slot1_2"),
        ('"slot1_2@host.example.org"', "host.example.org", "slot1_2"),
        ('"host.example.org"', "host.example.org", "host.example.org"),
        (None, "", ""),
    ],
)
def test_where_it_ran(host: str | None, node: str, slot: str) -> None:
    found = attempted(RemoteHost=host)
    assert (found["node"], found["slot"]) == (node, slot)


def test_a_node_of_another_pool_is_not_one_of_ours_of_that_name() -> None:
    """Nor are its devices."""
    found = attempted(RemotePool='"cm.tier.example:9618"')
    assert (found["node"], found["slot"]) == ("server1@cm.tier.example:9618", "slot7_2")
    assert attempted(RemotePool="undefined")["node"] == "server1"


@pytest.mark.parametrize(
    ("ad", "task"),
    [
        ({}, "train"),
        ({"JobBatchName": '"seed 3"'}, "seed 3"),
        ({"JobBatchName": "undefined"}, "train"),
        ({"JobBatchName": None, "Cmd": None}, ""),
        ({"Cmd": '"train"'}, "train"),
    ],
)
def test_what_it_is_to_its_user(ad: dict[str, str | None], task: str) -> None:
    assert attempted(**ad)["task"] == task


@pytest.mark.parametrize(
    ("ad", "status", "when"),
    [
        ({}, "completed", END),
        ({"JobStatus": "3", "CompletionDate": "0", "EnteredCurrentStatus": str(END + 5)}, "removed", END + 5),
        ({"CompletionDate": str(END), "EnteredCurrentStatus": str(END - 7)}, "completed", END),
    ],
)
def test_a_job_that_left(ad: dict[str, str | None], status: str, when: int) -> None:
    found = left(**ad)
    assert (found["status"], found["left_queue"], found["starts"]) == (status, str(when), "2")
    assert found["run_s"] == "3600.0"


def test_the_shipped_example_is_an_attempt() -> None:
    text = (Path(__file__).parents[2] / "mlinfn_condor/bench/payloads/attempt.ad").read_text()
    values = {
        "project": "alpha", "user": "alice", "device": "GPU-1", "cluster": 7, "proc": 0, "node": "server1",
        "start": START, "end": END, "length": END - START, "submitted": START - 17, "busy": 0.5, "watts": 90.0,
        "cpus_used": 0.7, "memory_kb": 4096, "vacated": "",
    }  # fmt: skip
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    found = read(text.partition("***")[0].encode())
    assert (found["username"], found["outcome"], found["devices"]) == ("alice", "completed", '{"GPU-1"}')
    assert (found["started"], found["ended"], found["model"]) == (str(START), str(END), "T4")
    assert float(str(found["devices_busy"])) == pytest.approx(0.5 / 0.99, rel=1e-4)
