"""Setting a mirror up and taking it down, in steps that can each be killed and run again.

Nothing is lost: the slot is made before the first row is copied, and a slot that went missing is never made anew
behind a mirror that already follows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from mlinfn_condor.store.connection import PATIENCE, connect, place, told_in_one_line
from mlinfn_condor.store.errors import MirrorFailed
from mlinfn_condor.store.migrating import applied, migrate
from mlinfn_condor.store.mirror import source, target
from mlinfn_condor.store.mirror.source import LOST, SQL

PUBLICATION = "mlinfn"


def mirror(
    site_dsn: str,
    main_dsn: str,
    site: str,
    *,
    publication: str = PUBLICATION,
    reached_as: str | None = None,
    replace: bool = False,
    folder: Traversable | Path | None = None,
) -> str:
    """Let the database at `main_dsn` follow the site's; safe to run again, and to be run after each new version.

    `reached_as`: DSN by which the main server reaches the site's, when it is not `site_dsn`. `replace`: rows that
    the main server has may go. `folder`: migrations, see `migrate`. Returns the slot's name. Raises StoreErrors.
    """
    slot = source.slot_name(site)
    with _both(site_dsn, main_dsn) as (site_side, main_side):
        _check(site_side, main_side)
        listed = source.tables(site_side)
        fresh = not applied(main_side)
        migrate(main_dsn, folder)
        with told_in_one_line(f"publishing {place(site_dsn)}", MirrorFailed):
            source.publish(site_side, publication)
        with told_in_one_line(f"preparing {place(main_dsn)}", MirrorFailed):
            target.follow_partitions(site_side, main_side)
            found = target.find(main_side, slot)
            where = reached_as or make_conninfo(site_dsn, **PATIENCE)
            status = source.slot_status(site_side, slot)
            if found is None:
                if status is not None:
                    raise MirrorFailed(
                        f"the site already has a mirror elsewhere (slot {slot}): `mlinfn db mirror --remove` ends it"
                    )
                target.subscribe(main_side, slot, publication, where, listed, empty=fresh or replace)
            else:
                target.point(main_side, slot, where)
                if found[1] and status in (None, LOST):
                    raise MirrorFailed(
                        f"slot {slot} is gone and changes with it: take the mirror down with --remove, "
                        "then set it up again with --replace"
                    )
        if status is None:
            with told_in_one_line(f"keeping changes at {place(site_dsn)}", MirrorFailed):
                source.create_slot(site_side, slot)
        with told_in_one_line("the main server does not reach the site's database (see --reached-as)", MirrorFailed):
            target.follow(main_side, slot)
    return slot


def remove(site_dsn: str, main_dsn: str | None, site: str, *, publication: str = PUBLICATION) -> bool:
    """Take the mirror down; what the main server has stays. False if there was none.

    `main_dsn` None: the main server is gone for good, only the site's side is cleared.
    """
    slot = source.slot_name(site)
    found = None
    if main_dsn is not None:
        with connect(main_dsn, autocommit=True) as main_side, told_in_one_line(place(main_dsn), MirrorFailed):
            found = target.find(main_side, slot)
            if found is not None:
                target.unsubscribe(main_side, slot)
    with connect(site_dsn, autocommit=True) as site_side, told_in_one_line(place(site_dsn), MirrorFailed):
        return source.withdraw(site_side, publication, slot, found[0] if found else None) or found is not None


@contextmanager
def _both(site_dsn: str, main_dsn: str) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    with (
        connect(site_dsn, autocommit=True, application="mlinfn mirror") as site_side,
        connect(main_dsn, autocommit=True, application="mlinfn mirror") as main_side,
        told_in_one_line("mirror", MirrorFailed),
    ):
        site_side.execute(SQL.text("lock_mirror"))
        yield site_side, main_side


def _check(site_side: psycopg.Connection, main_side: psycopg.Connection) -> None:
    *here, wal_level = site_side.execute(SQL.text("identify_database")).fetchone() or ("", "", "")
    *there, _ = main_side.execute(SQL.text("identify_database")).fetchone() or ("", "", "")
    if here == there:
        raise MirrorFailed("the site's database and the main one are the same: --to needs another")
    if wal_level != "logical":
        raise MirrorFailed(f"the site's server has wal_level = {wal_level}: set it to logical and start it again")
    if not applied(site_side):
        raise MirrorFailed("the site's database has no schema yet: `mlinfn db migrate` first")
