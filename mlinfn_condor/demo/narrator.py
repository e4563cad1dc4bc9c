"""How the story is told: a line per event, with the seconds since the beginning in front."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

INDENT = 10


class Narrator:
    """Tells a person on a terminal, or a log file, what happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self.current = ""
        """The chapter that goes on."""

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def title(self, text: str) -> None:
        """What all of it is."""
        self._console.print(f"[bold]{escape(text)}[/]", highlight=False)

    def chapter(self, text: str) -> None:
        """A new step begins."""
        self.current = text
        self._console.print()
        self._console.print(f"[bold cyan]{escape(text)}[/]", highlight=False)

    def say(self, text: str) -> None:
        """Something happened, now; long lines go on under their own beginning."""
        line = Table.grid(padding=(0, 2))
        line.add_column(width=INDENT - 2, justify="right", style="dim")
        line.add_column(overflow="fold")
        line.add_row(f"{self.seconds:.1f} s", escape(text))
        self._console.print(line, highlight=False)

    def quote(self, text: str) -> None:
        """What a program printed, as it printed it: never wrapped or cut."""
        self._console.print(text.rstrip("\n"), markup=False, highlight=False, soft_wrap=True, style="dim")

    def table(self, head: list[str], rows: list[list[str]]) -> None:
        """Rows under their heads; no cell is cut."""
        table = Table(*head, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*map(escape, row))
        self._console.print(Padding(table, (0, 0, 0, INDENT), expand=False), highlight=False)

    @contextmanager
    def waiting(self, text: str) -> Iterator[Callable[[str], None]]:
        """A wait that a terminal shows while it lasts; a log file does not. Yields what changes its words."""
        with self._console.status(escape(text)) as status:
            yield lambda words: status.update(escape(words))
