"""What each command says of itself, and how the shells go on with a line."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import groups, leaves, understood

MLINFN = Path(sys.executable).with_name("mlinfn")
EXAMPLE = re.compile(r"Example: (.*)")


def told(command):
    """Help and epilog, as they are written."""
    return f"{command.help or ''}\n{command.epilog or ''}"


@pytest.mark.parametrize(("words", "command"), [pytest.param(*each, id=each[0]) for each in leaves()])
def test_a_command_shows_an_example_that_it_understands(words, command):
    examples = EXAMPLE.findall(told(command))
    assert examples, f"{words} --help has no example"
    for example in examples:
        assert words in re.sub(r"mlinfn (--\w+ \w+ )*", "mlinfn ", example)
        understood(re.sub(r'^eval "\$\((.*)\)"$', r"\1", example))


@pytest.mark.parametrize(("name", "command"), [pytest.param(*each, id=each[0]) for each in groups()])
def test_a_group_names_its_page(name, command):
    assert re.fullmatch(r"More: docs/[a-z]+\.md(#[\w-]+)?", command.epilog or ""), name


COMPLETED = [
    (["mlinfn", "sch"], ["schedule"]),
    (["mlinfn", "schedule", "run"], ["run-now"]),
    (["mlinfn", "submit", "training", "--memo"], ["--memory-mb"]),
    (["mlinfn", "--po"], ["--pool"]),
]


@pytest.fixture
def environment():
    """Of a user who has the command on his path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("_")}
    return kept | {"PATH": f"{MLINFN.parent}:{os.environ['PATH']}"}


@pytest.mark.parametrize(("words", "offered"), COMPLETED)
def test_bash_goes_on_with_a_line(words, offered, environment):
    """The script that the command prints, in a real bash, called as bash calls it."""
    script = """
        eval "$(_MLINFN_COMPLETE=source_bash mlinfn)"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "$(complete -p mlinfn | sed 's/.*-F \\([^ ]*\\).*/\\1/')" "$1" "${@: -1}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (offered, "")


@pytest.mark.parametrize(("words", "offered"), COMPLETED)
def test_zsh_is_told_how_a_line_goes_on(words, offered, environment):
    """What the command answers zsh's function, whether there is a zsh here or not."""
    asked = {"_MLINFN_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": " ".join(words)}
    done = subprocess.run([MLINFN], env=environment | asked, capture_output=True, text=True, check=False)
    assert re.findall(r'^"?([\w-]+)"?:', done.stdout.replace("_arguments '*: :((", ""), re.MULTILINE) == offered


@pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh on this machine; what it is told is tested without")
@pytest.mark.parametrize(("words", "offered"), COMPLETED)
def test_zsh_goes_on_with_a_line(words, offered, environment):
    """The script in a real zsh, with what stands in for the line editor."""
    script = """
        compdef() { : }
        _arguments() { print -r -- "$1" }
        eval "$(_MLINFN_COMPLETE=source_zsh mlinfn)"
        words=("$@") CURRENT=$#
        _mlinfn_completion
    """
    done = subprocess.run(
        ["zsh", "-f", "-c", script, "zsh", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert (all(word in done.stdout for word in offered), done.stderr) == (True, "")
