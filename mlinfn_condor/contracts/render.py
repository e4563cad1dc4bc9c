"""Contracts as HTCondor configuration, read after condor_config.d: pure, the same contracts give the same text.

Only macros that the policy leaves to a site are set; what they mean stands in the files that a comment names.
"""

from collections.abc import Iterator

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.hours import within
from mlinfn_condor.contracts.settings import Contracts, PoolSettings, Window

FILE = "contracts.conf"
_HEAD = """\
# Written by `mlinfn config render`: changes are lost, change the contracts file instead. Read after condor_config.d.
# After a change: condor_reconfig -all, and condor_reconfig -schedd interactive@.
"""


def render(contracts: Contracts) -> str:
    """The configuration file."""
    chapters = (_pledges(contracts), _owners(contracts), _held_back(contracts), _limits(contracts))
    return _HEAD + "".join("\n" + "".join(f"{line}\n" for line in chapter) for chapter in chapters)


def _pledges(contracts: Contracts) -> Iterator[str]:
    groups = [f"{c.accounting_group}.{project}" for c in PriorityClass for project in sorted(contracts.pool.projects)]
    yield "# Pledges: 50-share-by-class-then-project.conf, 54-give-pledges-back.conf"
    yield f"MLINFN_PROJECT_GROUPS = {', '.join(groups)}"
    yield "GROUP_NAMES = group_interactive, group_dask, group_batch, $(MLINFN_PROJECT_GROUPS)"
    for priority_class, pledged in sorted(contracts.pledges.items()):
        for project, pledge in sorted(pledged.items()):
            if pledge.devices or pledge.cpus:
                group = f"{priority_class.accounting_group}.{project}"
                yield f"GROUP_QUOTA_{group} = {pledge.devices} * $(MLINFN_DEVICE_WEIGHT) + {pledge.cpus}"


def _owners(contracts: Contracts) -> Iterator[str]:
    yield "# Owners: 64-rank-owners-then-dask-then-batch.conf"
    owner = "undefined"
    for project, owned in sorted(contracts.owners.items(), reverse=True):
        if owned.nodes:
            nodes = ",".join(sorted(set(owned.nodes)))
            owner = f'ifThenElse(stringListMember($(MLINFN_NODE), "{nodes}"), "{project}", {owner})'
    for project, owned in sorted(contracts.owners.items(), reverse=True):
        if owned.devices:
            ids = ",".join(sorted(set(owned.devices)))
            owner = f'ifThenElse(stringListSubsetMatch($(MLINFN_DEVICES_HERE), "{ids}"), "{project}", {owner})'
    yield f"MLINFN_CONTRACT_OWNER = {owner}"


def _held_back(contracts: Contracts) -> Iterator[str]:
    yield "# Head-room and windows: 48-name-the-models-that-a-job-takes.conf, 69-hold-devices-back-from-batch.conf"
    held = {model: _rules(contracts, model) for model in contracts.pool.models}
    named = {model: place for place, model in enumerate((m for m in held if held[m]), 1)}
    starts, leaves = ["true"], ["false"]
    for model, place in named.items():
        kind = contracts.pool.models[model]
        yield f"# {model}"
        yield f"MLINFN_HELD_{place} = max({{0, {', '.join(held[model])}}})"
        yield f'MLINFN_FREE_{place} = countMatches(DeviceModel == "{model}", MY.Available{kind} ?: {{}})'
        yield f'MLINFN_LAST_{place} = (MY.Available{kind}[size(MY.Available{kind}) - 1].DeviceModel is "{model}")'
        wanted = f"$(MLINFN_WANTED_{kind.upper()})"
        yield (
            f'MLINFN_TAKEN_{place} = ifThenElse((TARGET.MlinfnModels ?: "any") == "any", '
            f"ifThenElse({wanted} > 1 || $(MLINFN_LAST_{place}), {wanted}, 0), "
            f'ifThenElse(stringListMember("{model}", TARGET.MlinfnModels), {wanted}, 0))'
        )
        starts.append(
            f"($(MLINFN_TAKEN_{place}) == 0 || $(MLINFN_HELD_{place}) == 0 || "
            f"$(MLINFN_FREE_{place}) - $(MLINFN_TAKEN_{place}) >= $(MLINFN_HELD_{place}))"
        )
        for window in contracts.windows:
            if model in window.models and window.running == "leaves":
                leaves.append(f'(MY.{kind}_DeviceModel is "{model}" && {within(window.hours, window.days)})')
    choices = [
        f'ifThenElse(countMatches(Require{kind}, {{[DeviceModel = "{model}"]}}) > 0, "{model},", "")'
        for model, kind in contracts.pool.models.items()
    ]
    yield f'MLINFN_MODELS_NAMED = strcat("", {", ".join(choices)})' if choices else 'MLINFN_MODELS_NAMED = ""'
    yield f"MLINFN_START_HELD_BACK = ({' && '.join(starts)})"
    yield f"MLINFN_BATCH_WINDOW_OVER = ({' || '.join(leaves)})"


def _rules(contracts: Contracts, model: str) -> list[str]:
    """Of each promise about a model: how many of its devices a node holds back now."""
    pool = contracts.pool
    rules = [
        f"ifThenElse({within(headroom.hours, headroom.days)}, {_here(shared_out(pool, model, headroom.free))}, 0)"
        for headroom in contracts.headroom
        if headroom.model == model
    ]
    return rules + [
        f"ifThenElse({within(window.hours, window.days)}, {_here(_beyond(pool, model, window))}, 0)"
        for window in contracts.windows
        if model in window.models
    ]


def shared_out(pool: PoolSettings, model: str, count: int) -> dict[str, int]:
    """`count` devices of a model over the nodes that have it: one after another from the node with the most left.

    The sum is `count`, and no node gives more than it has.
    """
    left = {name: node.devices.get(model, 0) for name, node in sorted(pool.nodes.items())}
    given = dict.fromkeys(left, 0)
    for _ in range(min(count, sum(left.values()))):
        name = max(left, key=lambda each: left[each])
        left[name] -= 1
        given[name] += 1
    return given


def _beyond(pool: PoolSettings, model: str, window: Window) -> dict[str, int]:
    return shared_out(pool, model, pool.count(model) - window.at_most)


def _here(numbers: dict[str, int]) -> str:
    """The number of this node; a node that the contracts do not know holds nothing back."""
    text = "0"
    for node, number in sorted(numbers.items(), reverse=True):
        if number:
            text = f'ifThenElse($(MLINFN_NODE) == "{node}", {number}, {text})'
    return text


def _limits(contracts: Contracts) -> Iterator[str]:
    limits = contracts.limits
    yield "# Limits: 22-bound-each-queue, 46-count-devices-of-users-and-projects, 47-bound-the-hours-of-a-job"
    counted = any((limits.devices_per_user, limits.devices_per_project, limits.users, limits.projects))
    yield f"MLINFN_COUNT_DEVICES = {str(counted).lower()}"
    yield f"MLINFN_DEVICES_PER_USER = {limits.devices_per_user}"
    yield f"MLINFN_DEVICES_PER_PROJECT = {limits.devices_per_project}"
    for kind, single in (("USER", limits.users), ("PROJECT", limits.projects)):
        for name, count in sorted(single.items()):
            yield f"DEVICES_OF_{kind}.{name.replace('-', '_').upper()}_LIMIT = {count}"
    if limits.jobs_per_user is not None:
        yield f"MLINFN_JOBS_PER_USER = {limits.jobs_per_user}"
    yield f"MLINFN_JOB_MAX_HOURS = {limits.hours_per_job}"
