"""All that the pages stand on, put together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mlinfn_condor.accounting.metrics.pool_thread import PoolFromThreads
from mlinfn_condor.pool.apart import Asked
from mlinfn_condor.web import administration, questions
from mlinfn_condor.web.administration import Administration, Places
from mlinfn_condor.web.answers import Answers
from mlinfn_condor.web.hands import Hands
from mlinfn_condor.web.live import Live
from mlinfn_condor.web.person import Door, Signature
from mlinfn_condor.web.settings import WebSettings
from mlinfn_condor.web.source import Source


@dataclass(frozen=True)
class Window:
    """What the pages need. `root`: where they lie, from slash to slash."""

    live: Live
    of_queues: PoolFromThreads
    """The process that looked at the queues, and knows why a job waits."""
    door: Door
    hands: Hands
    answers: Answers
    administration: Source[Administration]
    settings: WebSettings
    root: str = "/"
    home_of: Callable[[str], Path] | None = None
    """Below what somebody's files have to lie to be shown; None: whoever runs this may read what he may read."""
    signature: Signature = field(default_factory=Signature)


def window(
    settings: WebSettings,
    door: Door,
    hands: Hands,
    dsn: Callable[[], str],
    places: Places,
    *,
    root: str = "/",
    home_of: Callable[[str], Path] | None = None,
    pools: tuple[Asked, Asked] | None = None,
) -> Window:
    """`pools`: whom to ask of nodes and of queues; default: processes that speak to the pool of this environment."""
    of_nodes, of_queues = pools or (None, None)
    collector = PoolFromThreads(settings.patience_seconds, of_nodes)
    # Queues have a process of their own: an access point that hangs must not stop the picture of the nodes.
    schedd = PoolFromThreads(settings.patience_seconds * 4, of_queues)
    live = Live(
        Source(
            "collector",
            partial(collector.ask, questions.look_at_nodes),
            settings.look_seconds,
            lambda seen: seen.cpu_seconds,
            settings.rest,
        ),
        Source(
            "schedd",
            partial(schedd.ask, questions.look_at_queue),
            settings.queue_seconds,
            lambda seen: seen.cpu_seconds,
            settings.rest,
        ),
        settings.linger_seconds,
    )
    look = partial(administration.look, places)
    slow = Source("administration", look, settings.database_seconds / 4)
    answers = Answers(dsn, settings.database_seconds)
    return Window(live, schedd, door, hands, answers, slow, settings, root, home_of)
