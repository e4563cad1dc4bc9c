"""Which jobs may run in another pool, and when."""

import pytest
from jobs import job, session, written
from policy import Policy

POOLS = "cm.tier.example:9618, cm.other.example:9618"
SITE = f"MLINFN_FLOCK_POOLS = {POOLS}\nMLINFN_FLOCK_PROJECTS = alpha\n"
BRINGS = {"ShouldTransferFiles": "YES"}
ASKS = BRINGS | {"MlinfnMayFlock": True}


@pytest.fixture(scope="module")
def outward(tmp_path_factory, installed):
    """A site whose project alpha may flock to two pools."""
    policy = Policy(tmp_path_factory.mktemp("outward"), installed.bin, site=SITE)
    yield policy
    policy.close()


@pytest.fixture
def of_a_site(tmp_path, installed):
    made = []

    def make(site: str) -> Policy:
        made.append(Policy(tmp_path / str(len(made)), installed.bin, site=SITE + site))
        return made[-1]

    yield make
    for policy in made:
        policy.close()


def pools(policy, described) -> list[str]:
    """Those that the access point would offer the job to now."""
    done = policy.transform(described)
    named = policy.evaluate(str(done["FlockTo"]), done)
    return [pool.strip() for pool in str(named).split(",") if pool.strip()]


def test_by_default_nobody_flocks(batch, interactive):
    for point in (batch, interactive):
        assert not point.knob("FLOCK_TO")
        assert point.evaluate(point.knob("FLOCK_BY_DEFAULT")) is False
    assert pools(batch, job(**ASKS)) == []


def test_a_job_that_asks_and_may_is_counted_and_offered_there(outward):
    """HTCondor counts it for "default", and offers it by the pool's name."""
    assert outward.knob("FLOCK_TO") == POOLS
    assert pools(outward, job(**ASKS)) == ["default", "cm.tier.example:9618", "cm.other.example:9618"]


@pytest.mark.parametrize(
    "described",
    [
        job(**BRINGS),
        job(**BRINGS, MlinfnMayFlock=False),
        job(**BRINGS, MlinfnMayFlock="true"),
        job(MlinfnMayFlock=True),
        job(MlinfnMayFlock=True, ShouldTransferFiles="IF_NEEDED"),
        job(**ASKS, Project="beta"),
        job(**ASKS, PriorityClass="dask"),
        job(**ASKS, Owner="bob"),
        session(**ASKS),
        job(**BRINGS, FlockTo="cm.mine.example:9618"),
    ],
    ids=str,
)
def test_all_others_stay(outward, described):
    assert outward.transform(described)["MlinfnMayFlock"] is False
    assert pools(outward, described) == []


def test_nobody_names_a_pool_of_his_own(outward):
    assert "cm.mine.example:9618" not in pools(outward, job(**ASKS, FlockTo="cm.mine.example:9618"))


def test_what_was_decided_stays(outward):
    assert {"MlinfnMayFlock", "FlockTo"} <= set(outward.words("IMMUTABLE_JOB_ATTRS"))
    assert {"RemotePool", "LastRemotePool"} <= set(outward.words("PROTECTED_JOB_ATTRS"))
    assert "RemotePool" not in outward.transform(job(RemotePool="cm.mine.example:9618"))
    once = outward.transform(job(**ASKS))
    assert outward.transform(once) == once
    wish = job(**BRINGS, MlinfnMayFlock=written("time() > 0"))
    assert outward.transform(wish)["MlinfnMayFlock"] is True, "a plain word, no expression"


def test_a_site_may_let_those_leave_who_said_nothing(of_a_site):
    open_handed = of_a_site("MLINFN_FLOCK_UNASKED = true\n")
    assert pools(open_handed, job(**BRINGS))
    assert pools(open_handed, job(**BRINGS, MlinfnMayFlock=False)) == []


def test_a_site_may_add_a_clause(of_a_site):
    small = of_a_site("MLINFN_MAY_LEAVE_SITE = (RequestMemory < 2000)\n")
    assert pools(small, job(**ASKS))
    assert pools(small, job(**ASKS, RequestMemory=2000)) == []


@pytest.mark.parametrize(("second", "hour"), [(0, 0), (3599, 0), (3600, 1), (86399, 23), (86400, 0)])
def test_hours_are_those_of_the_clock_in_utc(of_a_site, second, hour):
    """Not of the submit: HTCondor evaluates FlockTo each time it offers the job."""
    one = of_a_site(f"MLINFN_FLOCK_HOURS = {hour}\n")
    open_at = str(one.transform(job(**ASKS))["FlockTo"]).replace("time()", str(second))
    assert one.evaluate(open_at, {"MlinfnMayFlock": True}) != ""
    assert one.evaluate(open_at.replace(f'"{hour}"', '"7"'), {"MlinfnMayFlock": True}) == ""
