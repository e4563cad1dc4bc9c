"""How long we wait for an API server, and when we ask again. Pure but for its dice."""

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """All in seconds. A call never takes longer than `deadline` and one `read` together."""

    connect: float = 5.0
    """A server in the same data centre answers within milliseconds; more is a firewall that drops."""
    read: float = 10.0
    """Longest silence in an answer. The API server itself ends what takes it 60 s, but no list of ours takes that."""
    deadline: float = 20.0
    """A busy or broken server is asked again for so long; then the next turn of the loop tries."""
    first_pause: float = 0.2
    """Before the second attempt; twice as long before each further one, and never the same for two clients."""
    longest_pause: float = 5.0
    silence: float = 15.0
    """A watch may be silent so long beyond its own end before the wire counts as cut."""

    def pauses(self) -> Iterator[float]:
        """Seconds to wait before each further attempt, without end."""
        pause = self.first_pause
        while True:
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            pause = min(self.longest_pause, 2 * pause)
