"""Sweeps: what a table becomes, every mistake of it at once, and all parts or none."""

import pytest

from mlinfn_condor.errors import BadRequest, JobRefused, PoolUnavailable
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.submission.submit import submit_in_parts
from mlinfn_condor.submission.sweeping import TOLD, SweepRequest, commands

COMMAND = ["python", "train.py", "--rate={rate}", "--folder", "run-{row}"]


def table(*lines):
    return [f"{line}\n" for line in lines]


def mistakes(lines, command=COMMAND):
    with pytest.raises(BadRequest) as refused:
        commands(lines, command)
    first, *told = str(refused.value).split("\n")
    assert first.startswith("nothing was submitted")
    return told


def test_each_row_is_a_command_with_its_values_and_its_number():
    assert commands(table("rate,depth", "0.1,3", "0.2,4"), [*COMMAND, "{depth}{depth}"]) == [
        ["python", "train.py", "--rate=0.1", "--folder", "run-1", "33"],
        ["python", "train.py", "--rate=0.2", "--folder", "run-2", "44"],
    ]


def test_a_value_may_hold_commas_quotes_and_spaces_and_stays_one_word():
    (words,) = commands(table("rate", '"a, ""b"" c"'), ["{rate}"])
    assert words == ['a, "b" c']


def test_spaces_around_values_empty_lines_and_other_braces_are_no_parameters():
    assert commands(table("rate , depth", "", " 1 , 2"), ['{"a": {rate}}', "{}"]) == [['{"a": 1}', "{}"]]


def test_a_value_with_braces_is_not_filled_in_again():
    assert commands(table("rate,depth", "{depth},2"), ["{rate}"]) == [["{depth}"]]


def test_every_mistake_is_told_with_its_line_and_its_cure():
    said = mistakes(
        table("rate,depth", "0.1", "0.2,3", "$ENV(SECRET),4", ",5", "0.3,6,7", "a\0b,1"),
        ["{rate}", "{depht}"],
    )
    assert said[0] == "the command has {depht}, but the table no such column: did you mean {depth}?"
    assert [line[:6] for line in said[1:]] == ["line 2", "line 6"], "values are looked at when columns are right"
    said = mistakes(table("rate,depth", "0.1", "0.2,3", "$ENV(SECRET),4", ",5", "0.3,6,7", "a\x1fb,1"))
    assert [line[:6] for line in said] == ["line 2", "line 4", "line 5", "line 6", "line 7"]
    assert "1 values for 2 columns" in said[0]
    assert "column 'rate': '$ENV(' would be expanded by HTCondor" in said[1]
    assert "column 'rate' is empty: write its value" in said[2]
    assert "control character" in said[4]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "line 1: it is empty: name the columns"),
        (table("rate"), "no row below the header"),
        (table("rate,rate", "1,2"), "'rate' is there 2 times: keep one"),
        (table("rate,row", "1,2"), "'row' has the name of the row's number"),
        (table("rate;depth", "1;2"), "'rate;depth' is no name"),
        (table("rate", '"1'), "write it as CSV, with quotes closed"),
    ],
)
def test_a_table_that_is_none_says_what_to_do(lines, said):
    assert any(said in line for line in mistakes(lines))


def test_a_command_without_a_placeholder_would_be_the_same_job_many_times():
    assert "write {rate}" in mistakes(table("rate", "1"), ["train"])[0]


def test_plain_values_that_make_an_expansion_of_their_surroundings_are_refused():
    (said,) = mistakes(table("rate", "(SECRET)"), ["$ENV{rate}"])
    assert said.startswith("line 2, word '$ENV(SECRET)'")


def test_a_table_that_is_wrong_throughout_does_not_hide_what_is_wrong():
    said = mistakes(table("rate,depth", *["1"] * 100))
    assert (len(said), said[-1]) == (TOLD + 1, f"and {100 - TOLD} more")


def test_a_file_in_another_encoding_is_told(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"rate\n1\n\xe9\n")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as lines:
        assert "UTF-8" in mistakes(lines)[-1]


@pytest.fixture
def request_of(tmp_path):
    return lambda *rates: SweepRequest(commands=[["train", rate] for rate in rates], folder=tmp_path, cpus=2)


def test_each_row_is_a_job_of_one_submit(request_of):
    pool = TwinPool()
    ((first, count),) = submit_in_parts(request_of("it's", "two words"), pool, 10)
    assert (str(first), count) == ("batch@1.0", 2)
    assert [job.ad["Arguments"] for job in pool.jobs()] == ["\"train 'it''s'\"", "\"train 'two words'\""]
    assert {(job.cpus, job.priority_class.value) for job in pool.jobs()} == {(2, "batch")}


def test_more_rows_than_one_submit_takes_come_in_parts(request_of):
    pool = TwinPool()
    parts = submit_in_parts(request_of(*"abcde"), pool, 2)
    assert [(str(first), count) for first, count in parts] == [("batch@1.0", 2), ("batch@2.0", 2), ("batch@3.0", 1)]
    assert len(pool.jobs()) == 5


def test_when_a_later_part_is_refused_the_earlier_ones_are_taken_back(request_of):
    pool = TwinPool(refusals={'!regexp("bad", Arguments)': "not that one"})
    with pytest.raises(JobRefused, match="not that one"):
        submit_in_parts(request_of("a", "b", "c", "bad"), pool, 2)
    assert pool.jobs() == []
    assert [job.ad["RemoveReason"] for job in pool.history()] == ["a later part of the same sweep was refused"] * 2


def test_what_cannot_be_taken_back_is_told_with_the_command_that_does(request_of):
    class Stubborn(TwinPool):
        def remove_submit(self, first, reason):
            raise PoolUnavailable("it does not answer")

    pool = Stubborn(refusals={'!regexp("bad", Arguments)': "not that one"})
    with pytest.raises(JobRefused, match=r"part 2 of 2 .*not that one.*condor_rm -name batch@ 1 ends them"):
        submit_in_parts(request_of("a", "bad"), pool, 1)


def test_a_sweep_without_rows_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="commands is empty"):
        SweepRequest(commands=[], folder=tmp_path)
