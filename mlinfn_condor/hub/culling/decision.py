"""Whether a session is kept, warned or ended: a pure function of what is known, the site's rules and the time.

Invariants, checked over all inputs by tests/unit/test_culling_decision.py:
- nobody acts without a warning that has stood for the whole time which it promised;
- nobody acts on anything unknown: no report, an old one, words in it that nobody understands;
- a sign of work after the warning takes it back (but for age: nothing makes a session younger).
"""

import time
from dataclasses import dataclass

from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.session.activity import BUSY_STATES, QUIET_STATES, Activity
from mlinfn_condor.session.notices import Cause, Deed, Notice

LAPSE_SECONDS = 900.0
"""A warning whose deadline is longer past than this was not followed by the deed, because the culler was away; whoever
still sits there believes himself spared, and is warned anew."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one session. Times are seconds of the epoch."""

    activity: Activity | None
    """Its last report; None if there is none that can be read."""
    notice: Notice | None
    """The warning that stands."""
    has_device: bool
    started: float | None = None
    """When it became ready, as the hub knows it."""
    longest_hours: float | None = None
    """How old this session may become, by its person's or project's limits."""


@dataclass(frozen=True)
class Keep:
    """Nothing happens; a warning that stands is taken back, unless it is unknown whether it should be."""

    why: str
    unknown: bool = False


@dataclass(frozen=True)
class Warn:
    """This warning shall stand; it may be the one that already does."""

    notice: Notice


@dataclass(frozen=True)
class Act:
    """The warning has stood its time."""

    deed: Deed
    why: str


Decision = Keep | Warn | Act


@dataclass(frozen=True)
class _Case:
    """A reason to end the session, or to warn that there will be one."""

    cause: Cause
    deed: Deed
    due: float
    """When the session may end at the earliest, a warning in time provided."""
    warning_seconds: float
    why: str


def decide(evidence: Evidence, rules: Rules, now: float) -> Decision:
    """What to do with this session now."""
    if not rules.enabled:
        return Keep("culling is switched off")
    activity = evidence.activity
    if activity is None:
        return Keep("it has no report", unknown=True)
    if (age := now - activity.written) > rules.report_seconds:
        return Keep(f"its report is {age:.0f} s old", unknown=True)
    if age < -rules.report_seconds:
        return Keep(f"its report is from {-age:.0f} s ahead: the clock of node or hub is wrong", unknown=True)
    if evidence.started is not None and activity.written < evidence.started:
        return Keep("its report is of the session before it", unknown=True)
    if strange := next((k.state for k in activity.kernels if k.state not in BUSY_STATES | QUIET_STATES), None):
        return Keep(f"a kernel is {strange}, which nobody understands", unknown=True)
    case, why_not = _of_age(evidence, rules, now), ""
    if case is None:
        case, why_not = _of_idleness(evidence, activity, rules, now)
    if case is None:
        return Keep(why_not)
    notice = evidence.notice
    if notice is not None and notice.given < max(activity.started, evidence.started or 0.0):
        notice = None  # It was for the session before in this folder.
    return _warn_or_act(case, notice, now)


def _warn_or_act(case: _Case, notice: Notice | None, now: float) -> Decision:
    promised = max(case.due, now + case.warning_seconds)
    if notice is None or not _still_holds(notice, case, now):
        return Warn(Notice(now, promised, case.deed, case.cause, case.why))
    # The rules may have become more generous since the warning, its promise never shorter.
    if now >= max(notice.deadline, notice.given + case.warning_seconds):
        return Act(case.deed, case.why)
    return Warn(notice)


def _still_holds(notice: Notice, case: _Case, now: float) -> bool:
    """Whether the warning says what is going to happen, and is neither of the future nor long past."""
    says_the_same = (notice.cause, notice.deed) == (case.cause, case.deed)
    latest = max(notice.deadline, notice.given + case.warning_seconds) + LAPSE_SECONDS
    return says_the_same and notice.given <= now <= latest


def _of_age(evidence: Evidence, rules: Rules, now: float) -> _Case | None:
    limits = [hours for hours in (rules.longest_hours, evidence.longest_hours) if hours is not None]
    if evidence.started is None or not limits:
        return None
    hours = min(limits)
    due = evidence.started + 3600 * hours
    # A limit shorter than its warning would warn at the start already; half of it is warning enough.
    warning = min(60 * rules.age_warning_minutes, 1800 * hours)
    if now < due - warning:
        return None
    return _Case("age", "stop", due, warning, f"Sessions here last {hours:g} hours.")


def _of_idleness(evidence: Evidence, activity: Activity, rules: Rules, now: float) -> tuple[_Case | None, str]:
    """The case, or else what keeps the session."""
    if kernel := next((kernel for kernel in activity.kernels if kernel.state in BUSY_STATES), None):
        return None, f"kernel {kernel.id[:8]} is busy"
    since, sign = last_work(activity, rules)
    idle, warning = rules.idle_minutes, rules.warning_minutes
    if evidence.has_device:
        idle, warning = rules.device_idle_minutes, rules.device_warning_minutes
    if now < since + 60 * idle:
        return None, f"{sign} {max(0.0, now - since):.0f} s ago"
    deed: Deed = rules.with_device if evidence.has_device else "stop"
    when = time.strftime("%H:%M", time.localtime(since))
    what = "Its kernels and its device have" if evidence.has_device else "It has"
    return _Case("idle", deed, since + 60 * (idle + warning), 60 * warning, f"{what} been idle since {when}."), ""


def last_work(activity: Activity, rules: Rules) -> tuple[float, str]:
    """When the last sign of work or of a person was, and which. What was not watched counts as work."""
    signs = [
        (activity.started, "it started"),
        (activity.cpu.watched_since, "it is watched since"),
        (activity.person, "somebody typed or clicked"),
        *((kernel.last_activity, "a kernel ran something") for kernel in activity.kernels),
        *((terminal.last_input, "somebody typed in a terminal") for terminal in activity.terminals),
    ]
    device = activity.devices.signal
    if device is not None:
        signs.append((device.watched_since, "its device is watched since"))
        if (worked := device.peaks.last(rules.device_percent)) is not None:
            signs.append((worked, "its device worked"))
    if device is None or rules.cpu_keeps_device:
        worked = activity.cpu.peaks.last(rules.cpu_percent)
        if worked is not None:
            signs.append((worked, "its programs used the CPU"))
    return max(signs)
