"""A sweep: the same command once for each row of a table of parameters. Every mistake of the table is told at once."""

import csv
import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool import language
from mlinfn_condor.submission.requests import Folder, Image, Name, Request, Words, batch_parameters

ROW = "row"
"""Placeholder for the number of the row, 1 being the first below the header."""
TOLD = 20
"""Mistakes told one by one; a table that is wrong throughout would hide them otherwise. The rest is counted."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
"""Braces around anything else, as in JSON, are text."""
_COLUMN = re.compile(r"[A-Za-z_]\w*")


class SweepRequest(Request):
    """Batch training with other words for each job, all in `folder`."""

    template: ClassVar[str] = "sweep"
    priority_class: ClassVar[PriorityClass] = PriorityClass.BATCH

    commands: tuple[Words, ...] = Field(min_length=1)
    """What each job runs."""
    folder: Folder = Field(default_factory=Path.cwd, validate_default=True)
    window_seconds: int | None = Field(default=None, ge=0)
    """See TrainingRequest, as is `image`."""
    image: Image | None = None
    called: Name = "sweep"
    """What `condor_q` calls the jobs together."""

    def parameters(self) -> dict[str, str]:
        """See Request. The command is the first row's; the other rows have their own."""
        own = {"command": language.arguments(self.commands[0]), "folder": str(self.folder), "called": self.called}
        return super().parameters() | own | batch_parameters(self.window_seconds, self.image)

    def rows(self) -> list[Mapping[str, str]]:
        """See Request."""
        return [{"command": language.arguments(words)} for words in self.commands]


def commands(lines: Iterable[str], command: list[str]) -> list[list[str]]:
    """`command` for each row of a CSV table, `{column}` replaced by the row's value and `{row}` by its number.

    The table is to be opened with newline="". Raises BadRequest with a line for each mistake, and its cure.
    """
    reader = csv.reader(lines, strict=True, skipinitialspace=True)
    mistakes: list[str] = []
    made: list[list[str]] = []
    try:
        names = [name.strip() for name in next(reader, [])]
        mistakes += _header(names) + _placeholders(command, names)
        header_right = not mistakes
        for number, row in enumerate((row for row in reader if row), start=1):
            if len(row) != len(names):
                mistakes.append(f"line {reader.line_num}: {len(row)} values for {len(names)} columns: {_length(row)}")
            elif header_right:
                values = {name: value.strip() for name, value in zip(names, row, strict=True)} | {ROW: str(number)}
                words, told = _words(command, values)
                mistakes += [f"line {reader.line_num}, {one}" for one in told]
                made.append(words)
        if not made and not mistakes:
            mistakes.append("it has no row below the header: add one for each job")
    except csv.Error as error:
        mistakes.append(f"line {reader.line_num}: {error}: write it as CSV, with quotes closed")
    except UnicodeDecodeError:
        mistakes.append(f"line {reader.line_num + 1}: it is not UTF-8: save the table in that encoding")
    if mistakes:
        rest = [f"and {len(mistakes) - TOLD} more"] if len(mistakes) > TOLD else []
        raise BadRequest("nothing was submitted, the table has mistakes:\n" + "\n".join(mistakes[:TOLD] + rest))
    return made


def _header(names: list[str]) -> list[str]:
    if not names:
        return ["line 1: it is empty: name the columns there, as in rate,depth"]
    told = []
    for name in dict.fromkeys(names):
        if not _COLUMN.fullmatch(name):
            cure = "letters, digits and _ make a name, commas part them"
            told.append(f"line 1: column {name!r} is no name: {cure}")
        elif name == ROW:
            told.append(f"line 1: column {ROW!r} has the name of the row's number: call it otherwise")
        if names.count(name) > 1:
            told.append(f"line 1: column {name!r} is there {names.count(name)} times: keep one")
    return told


def _placeholders(command: list[str], names: list[str]) -> list[str]:
    used = dict.fromkeys(name for word in command for name in _PLACEHOLDER.findall(word))
    told = []
    for name in used:
        if name != ROW and name not in names:
            (meant,) = difflib.get_close_matches(name, names, 1) or [None]
            cure = f"did you mean {{{meant}}}?" if meant else f"the table has {', '.join(names)}"
            told.append(f"the command has {{{name}}}, but the table no such column: {cure}")
    if not used:
        told.append(
            f"the command has no placeholder, so all jobs would be the same: write {{{(names or ['rate'])[0]}}}"
        )
    return told


def _length(row: list[str]) -> str:
    return f"it begins with {row[0]!r}; write one value for each column, and quotes around one that has a comma"


def _words(command: list[str], values: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The command of one row, and its mistakes. Plain values can make an expansion of what surrounds them."""
    told: dict[str, None] = {}
    for name in _PLACEHOLDER.findall(" ".join(command)):
        if not values[name]:
            told[f"column {name!r} is empty: write its value"] = None
        elif complaint := language.complaint(values[name]):
            told[f"column {name!r}: {complaint}"] = None
    words = [_PLACEHOLDER.sub(lambda found: values[found[1]], word) for word in command]
    if not told:
        told |= {f"word {word!r}: {complaint}": None for word in words if (complaint := language.complaint(word))}
    return words, list(told)
