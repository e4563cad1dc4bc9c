"""A workload's CSV: every mistake at once; and the clock on which it is played."""

import pytest

from mlinfn_condor.contracts.settings import parse
from mlinfn_condor.errors import UserError
from mlinfn_condor.shipped import shipped
from mlinfn_condor.simulation import scaling, site
from mlinfn_condor.simulation.jobs import description
from mlinfn_condor.simulation.scaling import Clock, Numbers
from mlinfn_condor.simulation.shipped import FOLDER, load, names
from mlinfn_condor.simulation.spans import seconds_in
from mlinfn_condor.simulation.workload import Workload, WorkloadWrong, read

HEADER = "at,class,who,project,devices,model,cpus,duration,count,checkpoint,leave,floor,factor"
ROW = "0,batch,ann,alpha,2,T4,1,8h,3,1h,never,,"
POLICY = (shipped("condor_config.d") / "00-state-the-numbers.conf").read_text()
CONTRACTS = parse(
    """
[pool]
projects = ["alpha"]
[pool.nodes.a]
gpus = { T4 = 2 }
fpgas = { U50 = 1 }
[limits]
hours_per_job = 10
""",
    "contracts",
)


def workload(*rows: str, header: str = HEADER) -> Workload:
    return read([f"{line}\n" for line in (header, *rows)], "some.csv")


def refusal(*rows: str, header: str = HEADER) -> str:
    with pytest.raises(WorkloadWrong) as caught:
        workload(*rows, header=header)
    return str(caught.value)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5h", 5400), ("1d 8h", 115200), ("0", 0)])
def test_a_time_has_a_unit(text, seconds):
    assert seconds_in(text) == seconds


def test_every_mistake_is_told_with_its_line_and_cure():
    told = refusal(
        ROW,
        "5,batch,Ann,alpha,,,,,,,,,",
        "1h,cron,ann,alpha,,,,1h,,,,,",
        "1h,dask,admin,alpha,0,T4,0,0,2000,,soon,,1",
        "1h,boost,ann,alpha,,,,1h,,,,,0.5",
        "2h,boost,,alpha,,,,4h,,,,2,",
        "3h,boost,,beta,,,,4h,,,,,",
        "9h,end,ann,,,,,,,,,,",
    )
    for part in (
        "line 3: at: '5' is no time: write 90s, 30m, 2h, 1d, or 1d 8h",
        "line 3: who: 'Ann': write a name in small letters",
        "line 3: duration: '' is no time",
        "line 4: class: 'cron' is none: one of interactive, dask, batch, boost, end",
        "line 5: who: admin is a role of the pool",
        "line 5: cpus: '0' is no whole number from 1 to 256",
        "line 5: count: '2000' is no whole number from 1 to 1000",
        "line 5: duration: 0 is no time",
        "line 5: leave: 'soon' is no time",
        "line 5: model: T4 of no devices",
        "line 5: factor: '1' says nothing for a job: leave it empty",
        "line 6: who: 'ann' says nothing for a boost",
        "line 6: factor: 0.5 is below 1",
        "line 8: a boost gives nothing",
        "line 9: who: 'ann' says nothing for the end",
    ):
        assert part in told


def test_what_does_not_fit_together_is_told():
    assert "line 1: column 'at' is missing" in refusal(header="class,wen")
    assert "line 1: column 'wen' is not known" in refusal(header="at,class,wen")
    assert "there is no job in it" in refusal("1h,end,,,,,,,,,,,")
    assert "it comes after the end" in refusal(ROW, "0,end,,,,,,,,,,,")
    boosts = ("0,boost,,alpha,,,,4h,,,,2,", "2h,boost,,alpha,,,,4h,,,,2,")
    assert "line 4: alpha has the boost of line 3 then" in refusal(ROW, *boosts)
    assert "6000 jobs in all" in refusal(*["0,batch,ann,alpha,,,,8h,1000,,,,"] * 6)
    assert "quote those with a comma" in refusal(f"{ROW},more")


def test_a_row_that_the_pool_cannot_serve_is_told():
    rows = (ROW.replace("alpha", "gamma"), ROW.replace("T4", "H100"), ROW.replace("ann,alpha,2", "ann,alpha,3"))
    with pytest.raises(UserError) as caught:
        site.agree(workload(*rows), CONTRACTS)
    for part in ("line 2: project: the pool has no gamma", "line 3: model: the pool has no H100", "no node has 3 T4"):
        assert part in str(caught.value)
    owned = CONTRACTS.model_copy(update={"owners": {"alpha": {"devices": ["GPU-1"], "nodes": []}}})
    owned = type(CONTRACTS).model_validate({**CONTRACTS.model_dump(), "owners": {"alpha": {"devices": ["GPU-1"]}}})
    with pytest.raises(UserError, match="simulated ones are called"):
        site.agree(workload(ROW), owned)


def test_nine_tenths_of_the_device_time_are_of_jobs_that_last_twenty_seconds_or_longer():
    assert scaling.default_speed(workload(ROW, "0,batch,ann,alpha,,,,1h,6,,,,")) == 180
    assert scaling.default_speed(workload(ROW, "0,batch,ann,alpha,,,,1h,5,,,,")) == 1400
    assert scaling.default_speed(workload("0,batch,ann,alpha,,,,5s,40,,,,")) == 1


def test_the_policys_times_go_as_fast_and_the_rest_is_told():
    numbers = Numbers.of(POLICY, CONTRACTS)
    told = scaling.overrides(numbers, Clock(3600, 1000.0))
    for line in (
        "MLINFN_BATCH_MIN_RUN_SECONDS = 0.333",
        "MLINFN_USAGE_HALFLIFE_SECONDS = 24.000",
        "CLAIM_WORKLIFE = 1",
    ):
        assert line in told
    assert "MLINFN_JOB_MAX_SECONDS = 10" in told
    assert "MLINFN_JOB_MAX_SECONDS" not in scaling.overrides(
        Numbers.of(POLICY, site.uncontracted(workload(ROW))), Clock(3600, 1000.0)
    )
    limits = " ".join(scaling.limits(workload(ROW, "0,batch,ann,alpha,,,,1h,40,,,,"), numbers, 3600, CONTRACTS))
    for part in ("a job's 2.0 h", "minimum run time of 20 min is shorter", "40 of 43 jobs last less than 2 s"):
        assert part in limits
    with pytest.raises(ValueError, match="MLINFN_VACATE_SECONDS"):
        Numbers.of("", CONTRACTS)


def test_a_job_is_told_its_scaled_times(tmp_path):
    numbers = Numbers.of(POLICY, CONTRACTS)
    (submit,) = workload(ROW).submits
    text = description(submit, tmp_path, Clock(3600, 0.0), numbers, CONTRACTS)
    assert f"arguments = {tmp_path}/2.$(Process) 8000000 1000000 -1 8333\n" in text
    assert 'request_gpus = 2\nrequire_gpus = DeviceModel == "T4"\n' in text
    (submit,) = workload("0,dask,ann,alpha,1,U50,1,8h,3,,,,").submits
    text = description(submit, tmp_path, Clock(3600, 0.0), numbers, CONTRACTS)
    assert 'request_fpgas = 1\n+RequireFPGAs = DeviceModel == "U50"\n' in text


def test_each_shipped_workload_fits_its_contracts():
    assert {"owner"} <= set(names())
    for name in names():
        found, contracts = load(name)
        assert found.jobs
        assert contracts.pool.nodes
        assert (FOLDER / f"{name}.toml").is_file()
    with pytest.raises(UserError, match="no file and no shipped workload"):
        load("nothing")
