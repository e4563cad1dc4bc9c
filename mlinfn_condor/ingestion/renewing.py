"""The provider's keys as a file for a real PostgREST, which fetches none itself: written when they change, and told."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

from mlinfn_condor import whole_files
from mlinfn_condor.complaints import Complaint
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.ingestion.provider import AGAIN_SECONDS, OLD_SECONDS, Fetch, published
from mlinfn_condor.ingestion.statements import SQL
from mlinfn_condor.store import Error, connect

APPLICATION = "mlinfn ingest keys"


def renew(issuer: str, file: Path, fetch: Fetch | None = None) -> bool:
    """Have the file say what the provider publishes; whether that was news. Raises ProviderAway, OSError.

    A provider that publishes no key that signs is taken for one that is ill: what is there stays.
    """
    keys = published(issuer, fetch)
    text = json.dumps({"keys": keys}, sort_keys=True)
    if not keys or (file.is_file() and file.read_text() == text):
        return False
    whole_files.replace(file, text, 0o644)
    return True


def tell(dsn: str) -> None:
    """Have every PostgREST of this database read its files again. Raises StoreError, psycopg's Error."""
    with connect(dsn, autocommit=True, application=APPLICATION) as connection:
        connection.execute(SQL.text("reload_postgrest"))


def run(
    issuer: str, file: Path, told: Callable[[], None], stop: Event, *, fetch: Fetch | None = None,
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201
) -> None:  # fmt: skip
    """Until `stop`. New keys that PostgREST was not told of are told of at the next turn."""
    pending, complaint = True, Complaint(say)  # it may have started with what was there before us
    while not stop.is_set():
        pause = float(OLD_SECONDS)
        try:
            pending |= renew(issuer, file, fetch)
            if pending:
                told()
                pending = False
            complaint.settle()
        except (MlinfnError, Error, OSError) as error:
            pause = float(AGAIN_SECONDS)
            complaint.make(f"keys: {' '.join(str(error).split())}; the keys that are known stay, trying again")
        stop.wait(pause)
