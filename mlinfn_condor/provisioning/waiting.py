"""What a job waits for, as far as nodes are concerned: one sentence, pure, from a plan."""

from collections.abc import Mapping

from mlinfn_condor.pool import Job
from mlinfn_condor.provisioning.actions import Fate, Plan, Start
from mlinfn_condor.provisioning.nodes import Glidein
from mlinfn_condor.submission.phrases import listed, plural, span


def why_waiting(plan: Plan, job: Job, glideins: tuple[Glidein, ...], now: float) -> str | None:
    """For an idle job that no room is free for; None when it waits for no node, or the plan does not know it.

    Jobs that ask for the same are one need: what is said holds for all of them, not for this one alone.
    """
    if plan.distrust:
        return f"No node is asked for at the moment: {plan.distrust}."
    fate = plan.fate(job)
    return sentence_of(plan, fate, {one.name: now - one.since for one in glideins}) if fate else None


def sentence_of(plan: Plan, fate: Fate, ages: Mapping[str, float] | None = None) -> str | None:
    """The same of a need; `ages` of glideins, in seconds, are told where they are given."""
    asked = {one.name for one in plan.actions if isinstance(one, Start)}
    new = sorted(name for name, _ in fate.coming if name in asked)
    begun = sorted(name for name, _ in fate.coming if name not in asked)
    parts = []
    if fate.kept:
        parts.append(f"{_names([name for name, _ in fate.kept])} was about to leave and is kept for it")
    if begun:
        age = f", asked for {span(ages[begun[0]])} ago" if ages and begun[0] in ages else ""
        parts.append(f"{_names(begun)} {_are(begun)} starting for it{age}")
    if new:
        parts.append(f"{_names(new)} {_are(new)} asked for now")
    if fate.blocked:
        whose = "" if fate.blocked == fate.need.count else f" for {plural(fate.blocked, 'job')} of {fate.need.count}"
        parts.append(f"no node can be added{whose}: {fate.reason}")
    if not parts:
        return None
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _names(names: list[str]) -> str:
    shown = names[:3]
    return listed(shown if len(names) == len(shown) else [*shown, f"{len(names) - len(shown)} more"])


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
