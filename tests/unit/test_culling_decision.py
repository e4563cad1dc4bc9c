"""Who is kept, warned and ended: a table of cases, and what holds whatever the case."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as some
from pydantic import ValidationError

from mlinfn_condor.hub.culling.decision import LAPSE_SECONDS, Act, Evidence, Keep, Warn, decide, last_work
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.session.activity import Activity, Devices, Kernel, Peaks, Signal, Terminal
from mlinfn_condor.session.notices import Notice

NOW = 2_000_000_000.0
MINUTE, HOUR = 60.0, 3600.0
RULES = Rules(
    device_idle_minutes=60,
    device_warning_minutes=15,
    idle_minutes=240,
    warning_minutes=15,
    longest_hours=None,
    cpu_percent=5,
    device_percent=2,
)
LONG_AGO = NOW - 100 * HOUR


def signal(since: float = LONG_AGO, *samples: tuple[float, int]) -> Signal:
    return Signal(since, Peaks(samples))


def session(**told: Any) -> Activity:
    """Ten hours without a sign of work, on a GPU, with an open tab."""
    idle = NOW - 10 * HOUR
    told.setdefault("devices", Devices(("GPU-1",), signal(), None, 20_000))
    kernels = (Kernel("abcdef0123", "idle", idle, connections=1),)
    return Activity(
        **{"written": NOW - 20, "started": LONG_AGO, "cpu": signal(), "person": idle, "kernels": kernels} | told
    )


def kernel(state: str, last_activity: float = NOW - 10 * HOUR) -> tuple[Kernel, ...]:
    return (Kernel("abcdef0123", state, last_activity),)


def notice(given: float, deadline: float | None = None, deed: Any = "stop", cause: Any = "idle") -> Notice:
    return Notice(given, given + 15 * MINUTE if deadline is None else deadline, deed, cause, "Because.")


WITHOUT_DEVICE = Devices()
UNKNOWN_DEVICE = Devices(("GPU-1",), None, "the device is simulated")
RESTART = RULES.model_copy(update={"with_device": "restart-without-device"})
DAY = RULES.model_copy(update={"longest_hours": 24.0})


@dataclass(frozen=True)
class Case:
    """One row: what is known, and what is decided."""

    says: str
    expected: str
    activity: Activity | None
    notice: Notice | None = None
    rules: Rules = RULES
    started: float | None = None
    longest_hours: float | None = None
    why: str = ""

    @property
    def evidence(self) -> Evidence:
        has_device = bool(self.activity and self.activity.devices.ids)
        return Evidence(self.activity, self.notice, has_device, self.started, self.longest_hours)


CASES = [
    # Work, however it looks from outside.
    Case("a kernel that prints nothing for ten hours, browser closed", "keep", session(kernels=kernel("busy")),
         why="busy"),
    Case("a busy kernel beside idle ones", "keep", session(kernels=(*kernel("idle"), *kernel("busy")))),
    Case("a busy kernel on an idle device", "keep", session(kernels=kernel("busy")), notice(NOW - HOUR)),
    Case("a cell that ended half an hour ago", "keep", session(kernels=kernel("idle", NOW - 30 * MINUTE))),
    Case("a device at work for a program in a terminal", "keep",
         session(devices=Devices(("GPU-1",), signal(LONG_AGO, (NOW - 30, 95))))),
    Case("a device that worked half an hour ago", "keep",
         session(devices=Devices(("GPU-1",), signal(LONG_AGO, (NOW - 2 * HOUR, 90), (NOW - 30 * MINUTE, 2))))),
    Case("silent work on the CPU, without a device", "keep",
         session(devices=WITHOUT_DEVICE, cpu=signal(LONG_AGO, (NOW - 30, 100))), why="CPU"),
    Case("work on the CPU keeps a device, if the site likes", "keep", session(cpu=signal(LONG_AGO, (NOW - 30, 100)))),
    Case("a person in the page", "keep", session(person=NOW - 5 * MINUTE), why="somebody typed"),
    Case("a person in a terminal", "keep", session(terminals=(Terminal("1", NOW - 5 * MINUTE),)), why="terminal"),
    Case("a session that has just started", "keep", session(started=NOW - MINUTE, person=LONG_AGO)),
    # Idleness.
    Case("a GPU held by an open but idle tab", "warn", session()),
    Case("memory of the device held by an idle kernel", "warn",
         session(devices=Devices(("GPU-1",), signal(), None, 39_000))),
    Case("a clock that a terminal shows", "warn", session(terminals=(Terminal("1", NOW - 9 * HOUR, "htop", 1),))),
    Case("a device that idles at one percent", "warn",
         session(devices=Devices(("GPU-1",), signal(LONG_AGO, (NOW - 30, 1))))),
    Case("programs that hardly use the CPU", "warn", session(cpu=signal(LONG_AGO, (NOW - 30, 4)))),
    Case("work on the CPU alone, where only the device counts", "warn", session(cpu=signal(LONG_AGO, (NOW - 30, 100))),
         rules=RULES.model_copy(update={"cpu_keeps_device": False})),
    Case("a kernel that died", "warn", session(kernels=kernel("dead"))),
    Case("no kernel was ever started", "warn", session(kernels=())),
    Case("without a device, two hours are not long", "keep",
         session(devices=WITHOUT_DEVICE, person=NOW - 2 * HOUR, kernels=())),
    Case("without a device, ten hours are", "warn", session(devices=WITHOUT_DEVICE)),
    Case("just short of the limit", "keep", session(person=NOW - 59 * MINUTE)),
    Case("just at the limit", "warn", session(person=NOW - 60 * MINUTE)),
    # From the warning to the deed.
    Case("the warning stands", "warn", session(), notice(NOW - 14 * MINUTE)),
    Case("the warning has stood its time", "stop", session(), notice(NOW - 15 * MINUTE)),
    Case("as the site chose: restart without the device", "restart-without-device", session(),
         notice(NOW - 15 * MINUTE, deed="restart-without-device"), RESTART),
    Case("without a device there is nothing to give back", "stop", session(devices=WITHOUT_DEVICE),
         notice(NOW - 15 * MINUTE), RESTART),
    Case("the warning said something else", "warn", session(), notice(NOW - 15 * MINUTE), RESTART),
    Case("the warning promised longer", "warn", session(), notice(NOW - 15 * MINUTE, NOW + MINUTE)),
    Case("the warning promised shorter than the site now does", "warn", session(),
         notice(NOW - 15 * MINUTE, NOW), RULES.model_copy(update={"device_warning_minutes": 20.0})),
    Case("somebody came back after the warning", "keep", session(person=NOW - MINUTE), notice(NOW - 15 * MINUTE)),
    Case("a cell ran after the warning", "keep", session(kernels=kernel("idle", NOW - MINUTE)), notice(NOW - HOUR)),
    Case("the culler was away since the deadline", "warn", session(), notice(NOW - 2 * HOUR)),
    Case("a warning of tomorrow", "warn", session(), notice(NOW + HOUR)),
    Case("a warning for the session before", "warn", session(started=NOW - 5 * HOUR), notice(NOW - 6 * HOUR, NOW - 30)),
    # What nobody knows.
    Case("no report", "unknown", None, notice(NOW - 15 * MINUTE)),
    Case("an old report", "unknown", session(written=NOW - 10 * MINUTE), notice(NOW - 15 * MINUTE), why="600 s old"),
    Case("a report of the future", "unknown", session(written=NOW + 10 * MINUTE), notice(NOW - 15 * MINUTE),
         why="clock"),
    Case("a kernel in a state that no Jupyter had", "unknown", session(kernels=kernel("pondering")),
         notice(NOW - 15 * MINUTE)),
    Case("a report of the session before", "unknown", session(), notice(NOW - 15 * MINUTE), started=NOW - 10),
    Case("watched only since its node woke up", "keep", session(cpu=signal(NOW - 10 * MINUTE)), why="watched"),
    Case("a device watched only since its driver is back", "keep",
         session(devices=Devices(("GPU-1",), signal(NOW - 10 * MINUTE))), why="watched"),
    Case("a device that nobody can look at, but its programs work", "keep",
         session(devices=UNKNOWN_DEVICE, cpu=signal(LONG_AGO, (NOW - 30, 60))),
         rules=RULES.model_copy(update={"cpu_keeps_device": False})),
    Case("a device that nobody can look at, and nothing works", "warn", session(devices=UNKNOWN_DEVICE)),
    # Age.
    Case("old, at work, long before its end", "keep", session(kernels=kernel("busy")), rules=DAY,
         started=NOW - 22 * HOUR),
    Case("old and at work: the warning comes before the end", "warn", session(kernels=kernel("busy")), rules=DAY,
         started=NOW - 23 * HOUR),
    Case("old and at work: it ends", "stop", session(kernels=kernel("busy")),
         notice(NOW - HOUR, NOW, cause="age"), DAY, started=NOW - 24 * HOUR),
    Case("a warning of idleness is none of age", "warn", session(), notice(NOW - HOUR, NOW), DAY,
         started=NOW - 24 * HOUR),
    Case("too old when the limit came: still the whole warning", "warn", session(kernels=kernel("busy")),
         rules=DAY, started=NOW - 90 * HOUR),
    Case("the person's limit is stricter than the site's", "warn", session(kernels=kernel("busy")), rules=DAY,
         started=NOW - 3.5 * HOUR, longest_hours=4),
    Case("nobody knows when it started", "keep", session(kernels=kernel("busy")), rules=DAY),
    Case("old, but its report is, too", "unknown", session(written=NOW - HOUR),
         notice(NOW - HOUR, NOW, cause="age"), DAY, started=NOW - 24 * HOUR),
    Case("the site culls nobody", "keep", session(), notice(NOW - HOUR), Rules(enabled=False)),
]  # fmt: skip


def outcome(decision: object) -> str:
    match decision:
        case Keep(_, unknown):
            return "unknown" if unknown else "keep"
        case Warn(_):
            return "warn"
        case Act(deed, _):
            return str(deed)
    raise AssertionError(decision)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_cases(case: Case) -> None:
    decision = decide(case.evidence, case.rules, NOW)
    assert outcome(decision) == case.expected
    if isinstance(decision, Keep):
        assert case.why in decision.why


def test_a_first_warning_promises_its_time_and_says_since_when() -> None:
    decision = decide(Evidence(session(), None, True), RESTART, NOW)
    assert isinstance(decision, Warn)
    assert decision.notice.given == NOW
    assert decision.notice.deadline == NOW + 15 * MINUTE
    assert decision.notice.deed == "restart-without-device"
    assert decision.notice.why.startswith("Its kernels and its device have been idle since ")


def test_a_warning_of_age_comes_in_time_for_the_end() -> None:
    evidence = Evidence(session(kernels=kernel("busy")), None, True, started=NOW - 23.5 * HOUR)
    decision = decide(evidence, DAY, NOW)
    assert isinstance(decision, Warn)
    assert decision.notice.deadline == NOW + HOUR  # 24 h came half an hour too late for its warning.
    assert not decision.notice.can_be_kept


def test_a_standing_warning_is_not_changed() -> None:
    standing = notice(NOW - 5 * MINUTE)
    assert decide(Evidence(session(), standing, True), RULES, NOW) == Warn(standing)


def test_an_age_without_room_for_its_warning_is_refused() -> None:
    with pytest.raises(ValidationError, match="age_warning_minutes must be shorter than longest_hours"):
        Rules(longest_hours=0.5)


def test_what_no_site_means_is_refused() -> None:
    for mistake in ({"device_idle_minutes": 0}, {"warning_minutes": 0}, {"with_device": "delete"}, {"idle_hours": 1}):
        with pytest.raises(ValidationError):
            Rules.model_validate(mistake)


# What holds for every session, all rules and all times.

times = some.just(LONG_AGO) | some.just(LONG_AGO) | some.floats(NOW - 48 * HOUR, NOW + HOUR)
peaks = some.lists(some.tuples(times, some.integers(1, 100)), max_size=4).map(lambda samples: Peaks(tuple(samples)))
signals = some.builds(Signal, watched_since=times, peaks=peaks)
states = some.just("idle") | some.sampled_from(["idle", "starting", "restarting", "dead", "busy", "pondering"])
activities = some.builds(
    Activity,
    written=some.just(NOW - 20) | some.floats(NOW - 20, NOW) | some.floats(NOW - 300, NOW + 300),
    started=times,
    cpu=signals,
    person=times,
    kernels=some.lists(some.builds(Kernel, id=some.just("k" * 36), state=states, last_activity=times), max_size=3).map(
        tuple
    ),
    terminals=some.lists(some.builds(Terminal, name=some.just("1"), last_input=times), max_size=2).map(tuple),
    devices=some.builds(
        Devices,
        ids=some.sampled_from([(), ("GPU-1",)]),
        signal=some.none() | signals,
        unknown=some.none() | some.just("NVML: GPU is lost"),
    ),
)
# Mostly of the times at which it matters whether it has stood long enough.
given_times = some.floats(0, 40).map(lambda minutes: NOW - 60 * minutes) | times
standing = some.builds(
    Notice,
    given=given_times,
    deadline=some.floats(NOW - 1000, NOW + 100) | times,
    deed=some.sampled_from(["stop", "restart-without-device"]),
    cause=some.sampled_from(["idle", "age"]),
    why=some.just("Because."),
)
evidences = some.builds(
    Evidence,
    activity=activities | activities | some.none(),
    notice=standing | standing | some.none(),
    has_device=some.booleans(),
    started=some.none() | times,
    longest_hours=some.none() | some.floats(0.1, 100),
)
minutes = some.floats(1, 30) | some.floats(1, 600)
all_rules = some.builds(
    Rules,
    device_idle_minutes=minutes,
    device_warning_minutes=minutes,
    idle_minutes=minutes,
    warning_minutes=minutes,
    with_device=some.sampled_from(["stop", "restart-without-device"]),
    longest_hours=some.none() | some.floats(10.1, 100),
    age_warning_minutes=minutes,
    cpu_percent=some.floats(1, 100),
    device_percent=some.floats(1, 100),
    cpu_keeps_device=some.booleans(),
)


def warning_minutes(evidence: Evidence, rules: Rules, cause: str) -> float:
    if cause == "idle":
        return rules.device_warning_minutes if evidence.has_device else rules.warning_minutes
    limits = [hours for hours in (rules.longest_hours, evidence.longest_hours) if hours is not None]
    return min(rules.age_warning_minutes, 30 * min(limits))


@pytest.mark.parametrize("wanted", [Keep, Warn, Act])
def test_the_properties_below_see_every_decision(wanted: type) -> None:
    no_shrinking = settings(phases=[Phase.generate], max_examples=50_000, database=None)
    find(
        some.tuples(evidences, all_rules),
        lambda drawn: isinstance(decide(*drawn, NOW), wanted),
        settings=no_shrinking,
        random=Random(7),
    )


@settings(max_examples=500)
@given(evidences, all_rules)
def test_nobody_acts_before_a_warning_has_stood_its_time(evidence: Evidence, rules: Rules) -> None:
    decision = decide(evidence, rules, NOW)
    if isinstance(decision, Act):
        warning = evidence.notice
        assert warning is not None
        assert warning.deed == decision.deed
        assert warning.given <= NOW - 60 * warning_minutes(evidence, rules, warning.cause) + 1e-3
        assert warning.deadline <= NOW
    if isinstance(decision, Warn) and decision.notice is not evidence.notice:
        promised = 60 * warning_minutes(evidence, rules, decision.notice.cause)
        assert decision.notice.deadline >= NOW + promised - 1e-3


@settings(max_examples=500)
@given(evidences, all_rules)
def test_nobody_acts_or_warns_on_the_unknown(evidence: Evidence, rules: Rules) -> None:
    activity = evidence.activity
    unknown = (
        activity is None
        or abs(NOW - activity.written) > rules.report_seconds
        or any(kernel.state == "pondering" for kernel in activity.kernels)
    )
    if unknown:
        decision = decide(evidence, rules, NOW)
        assert isinstance(decision, Keep)
        assert decision.unknown


@given(evidences, all_rules, some.sampled_from(["kernel", "person", "terminal", "device", "cpu"]))
def test_a_sign_of_work_takes_idleness_back(evidence: Evidence, rules: Rules, sign: str) -> None:
    activity = evidence.activity
    if activity is None:
        return
    match sign:
        case "kernel":
            activity = replace(activity, kernels=kernel("busy"))
        case "person":
            activity = replace(activity, person=NOW)
        case "terminal":
            activity = replace(activity, terminals=(Terminal("1", NOW),))
        case "device":
            activity = replace(activity, devices=Devices(("GPU-1",), signal(LONG_AGO, (NOW, 100))))
        case "cpu":
            rules = rules.model_copy(update={"cpu_keeps_device": True})
            activity = replace(activity, cpu=signal(LONG_AGO, (NOW, 100)))
    rules = rules.model_copy(update={"longest_hours": None})
    decision = decide(replace(evidence, activity=activity, longest_hours=None), rules, NOW)
    assert isinstance(decision, Keep)


@given(activities, all_rules, some.floats(1, 48 * HOUR))
def test_idleness_never_begins_before_the_session_was_watched(activity: Activity, rules: Rules, watched: float) -> None:
    since = NOW - watched
    activity = replace(activity, cpu=replace(activity.cpu, watched_since=since))
    assert last_work(activity, rules)[0] >= since


@given(evidences, all_rules)
def test_followed_to_the_end_an_idle_session_is_warned_then_ended(evidence: Evidence, rules: Rules) -> None:
    """No session is warned for ever: with nothing but time passing, the deed follows the promise."""
    activity = replace(session(), started=LONG_AGO, written=NOW)
    rules = rules.model_copy(update={"longest_hours": None})
    first = decide(replace(evidence, activity=activity, notice=None, started=None, longest_hours=None), rules, NOW)
    if not isinstance(first, Warn):
        return
    then = first.notice.deadline
    later = replace(
        evidence, activity=replace(activity, written=then), notice=first.notice, started=None, longest_hours=None
    )
    assert isinstance(decide(later, rules, then), Act)
    assert isinstance(decide(replace(later, activity=replace(activity, written=then - 1)), rules, then - 1), Warn)
    much_later = then + LAPSE_SECONDS + 1
    again = decide(replace(later, activity=replace(activity, written=much_later)), rules, much_later)
    assert isinstance(again, Warn)
    assert again.notice.given == much_later
