"""Every command with its arguments and options, as the command line itself tells them."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from generating import writing
from mlinfn_condor.cli import app

HELP = "--help"


def page() -> str:
    """A section for each group, a heading for each command."""
    root = get_command(app)
    context = root.make_context("mlinfn", [], resilient_parsing=True)
    return writing.page(["## Options of every command", _records(root, context), *_below(root, context)])


def _below(group: Any, context: Any) -> Iterator[str]:
    names = group.list_commands(context)
    alone = [name for name in names if not _is_group(group.get_command(context, name))]
    if alone and context.parent is None:
        yield "## mlinfn"
    for name in [*alone, *(name for name in names if name not in alone)]:
        yield from _section(group.get_command(context, name), name, context)


def _section(command: Any, name: str, above: Any) -> Iterator[str]:
    context = command.context_class(command, info_name=name, parent=above)
    is_group = _is_group(command)
    yield f"{'##' if is_group else '###'} {context.command_path}"
    text, examples = _parted(command.help or "")
    yield writing.plain(text)
    if not is_group:
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"```\n{context.command_path} {usage}\n```"
        yield _records(command, context)
    page, more = _parted(command.epilog or "")
    for example in examples + more:
        yield f"Example: `{example}`"
    yield writing.plain(page)
    if is_group:
        yield from _below(command, context)


def _records(command: Any, context: Any) -> str:
    """Arguments and options: how they are written, and what they mean."""
    told = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    return writing.table(
        ("argument or option", "meaning"),
        [(writing.code(written), writing.plain(meaning)) for written, meaning in told if HELP not in written],
    )


def _parted(text: str) -> tuple[str, list[str]]:
    """What it says, and its examples."""
    lines = [line.strip() for line in text.replace("\b", "").splitlines()]
    examples = [line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")]
    return " ".join(line for line in lines if not line.startswith("Example: ")), examples


def _is_group(command: Any) -> bool:
    return hasattr(command, "list_commands")
