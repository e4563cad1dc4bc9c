"""Rendered files into a folder, and what would change there."""

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from pathlib import Path

from mlinfn_condor.errors import UserError

LIST = ".rendered"
"""In a folder that is ours: what was written there, so that what is rendered no longer can go."""


def write(files: Mapping[str, str], folder: Path, *, owns_folder: bool = True) -> int:
    """Write the files, by path below `folder`; returns how many. What an earlier rendering left behind is removed,
    other people's files are not. Raises UserError.
    """
    try:
        for name, text in sorted(files.items()):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f"{path.name}.new")
            unfinished.write_text(text)
            unfinished.replace(path)
        if owns_folder:
            for name in _before(folder) - files.keys():
                (folder / name).unlink(missing_ok=True)
            (folder / LIST).write_text("".join(f"{name}\n" for name in sorted(files)))
    except OSError as error:
        raise UserError(f"{error.filename or folder}: {error.strerror}") from error
    return len(files)


def differences(files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Lines of a unified diff from what lies there to what would be written."""
    for name in sorted(files.keys() | _before(folder)):
        path = folder / name
        there = path.read_text() if path.is_file() else ""
        yield from unified_diff(
            there.splitlines(keepends=True), files.get(name, "").splitlines(keepends=True), f"{folder}/{name}", name
        )


def _before(folder: Path) -> set[str]:
    """Never anything outside of the folder, whatever somebody wrote into the list."""
    try:
        names = (folder / LIST).read_text().splitlines()
    except FileNotFoundError:
        return set()
    return {name for name in names if name and not Path(name).is_absolute() and ".." not in Path(name).parts}
