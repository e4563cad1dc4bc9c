"""Command lines of `mlinfn`, understood without being run."""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from typer.main import get_command

from mlinfn_condor.cli import app

ROOT = get_command(app)
_ENDS = re.compile(r"\s(?:&&|\|\|?|;|>|2>|&)(?:\s|$)")


def understood(line: str) -> None:
    """Every group, command, option and argument of it is known. Raises typer's error with what is not."""
    ours = next(part for part in _ENDS.split(line) if "mlinfn " in part)
    words = shlex.split(ours)
    context = ROOT.make_context("mlinfn", words[words.index("mlinfn") + 1 :])
    while _is_group(context.command):
        context = _below(context, [*context._protected_args, *context.args])


def parted(words: Sequence[str]) -> tuple[Any, list[str]]:
    """The command that the words lead to, as far as they do, and those that follow it."""
    parser = ROOT.make_parser(ROOT.make_context("mlinfn", [], resilient_parsing=True))
    command, rest = ROOT, parser.parse_args(list(words))[1]
    while _is_group(command) and rest and (found := command.commands.get(rest[0])):
        command, rest = found, rest[1:]
    return command, rest


def leaves() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    yield from _leaves("mlinfn", ROOT)


def groups() -> Iterator[tuple[str, Any]]:
    """Every group of commands, by its words."""
    yield from ((name, each) for name, each in ROOT.commands.items() if _is_group(each))


def _leaves(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    for name, each in command.commands.items():
        if _is_group(each):
            yield from _leaves(f"{words} {name}", each)
        else:
            yield f"{words} {name}", each


def _is_group(command: Any) -> bool:
    return hasattr(command, "commands")


def _below(context: Any, words: list[str]) -> Any:
    name, command, rest = context.command.resolve_command(context, words)
    return command.make_context(name, rest, parent=context)
