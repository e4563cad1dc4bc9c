"""What goes wrong in a loop that tries again: told when it is new, not at each try."""

from collections.abc import Callable


class Complaint:
    """One matter that somebody may have to hear of."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._said = say, ""

    def make(self, text: str) -> None:
        """Say it, unless the same was said last and nothing has gone well since."""
        if text != self._said:
            self._say(text)
        self._said = text

    def settle(self) -> None:
        """It went well."""
        self._said = ""
