"""SQL by name: each statement is a file `sql/<name>.sql` of the package that uses it, with its comment on top."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable


class UnknownStatement(KeyError):
    """The package has no such file; the message lists those it has."""

    def __str__(self) -> str:
        return str(self.args[0])


class Statements:
    """The statements of one package, e.g. `Statements("mlinfn_condor.accounting").text("upsert_attempts")`."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._known: dict[str, str] = {}

    def text(self, name: str) -> str:
        """The file's text, read once. Raises UnknownStatement."""
        if name not in self._known:
            self._known[name] = self._file(name).read_text(encoding="utf-8")
        return self._known[name]

    def names(self) -> list[str]:
        """Every statement that the package has."""
        folder = files(self._package) / "sql"
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(file.name.removesuffix(".sql") for file in found if file.name.endswith(".sql"))

    def _file(self, name: str) -> Traversable:
        file = files(self._package) / "sql" / f"{name}.sql"
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not file.is_file():
            raise UnknownStatement(f"{self._package} has no sql/{name}.sql; it has {', '.join(self.names()) or 'none'}")
        return file
