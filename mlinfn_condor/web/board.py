"""Pieces of a page that change one by one, and who has to be sent which of them."""

import secrets
from collections.abc import Mapping

LIFE = secrets.token_hex(4)
"""Marks the versions of this process: whoever comes with those of an earlier one is sent everything."""


class Board:
    """HTML by id of its element. A version counts changes; each piece knows in which one it was last written."""

    def __init__(self) -> None:
        self.version = 0
        self.pieces: dict[str, str] = {}
        self._written: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        self._cut: tuple[int, int, bytes] = (-1, -1, b"")

    def update(self, pieces: Mapping[str, str], within: str) -> bool:
        """Take the pieces of one part of the page (those whose id begins with `within`); whether anything is new."""
        new = {name for name, html in pieces.items() if self.pieces.get(name) != html}
        gone = {name for name in self.pieces if name.startswith(within) and name not in pieces}
        if not new and not gone:
            return False
        self.version += 1
        for name in new:
            self.pieces[name] = pieces[name]
            self._written[name] = self.version
            self._gone.pop(name, None)
        for name in gone:
            del self.pieces[name], self._written[name]
            self._gone[name] = self.version
        return True

    @property
    def mark(self) -> str:
        """The version as a browser keeps it."""
        return f"{LIFE}-{self.version}"

    def version_of(self, mark: str) -> int:
        """The version behind a browser's mark; -1 for one that this process did not give."""
        life, _, number = mark.partition("-")
        return int(number) if life == LIFE and number.isdigit() else -1

    def since(self, version: int) -> bytes:
        """What is new to a browser that has `version`, as one event; empty when it has everything.

        Cut once for all who have the same, which is nearly everybody.
        """
        if version == self.version:
            return b""
        if self._cut[:2] != (version, self.version):
            html = [self.pieces[name] for name, written in self._written.items() if written > version]
            html += [f'<i data-gone="{name}"></i>' for name, when in self._gone.items() if when > version]
            data = "".join(f"data: {line}\n" for line in "".join(html).splitlines())
            self._cut = (version, self.version, f"event: pieces\nid: {self.mark}\n{data}\n".encode())
        return self._cut[2]
