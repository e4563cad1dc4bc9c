"""The register in PostgreSQL."""

from mlinfn_condor.identity.people import Changes, People, Person, Site, changed
from mlinfn_condor.identity.register import Decide
from mlinfn_condor.store import Connection, Error, Statements, StoreError, connect

_SQL = Statements("mlinfn_condor.identity")


class DatabaseRegister:
    """A connection for each call: it is asked a few times a minute, and a server that restarts is no matter."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def people(self) -> People:
        """See Register."""
        return self.change(lambda _: Changes())[0]

    def change(self, decide: Decide) -> tuple[People, Changes]:
        """See Register."""
        with connect(self._dsn, application="mlinfn identity") as connection:
            try:
                with connection.transaction():
                    connection.execute(_SQL.text("lock"))
                    before = _read(connection)
                    changes = decide(before)
                    _write(connection, changes)
            except Error as error:
                said = str(error).strip().splitlines()
                raise StoreError(f"the register of people: {said[0] if said else error}") from error
        return changed(before, changes), changes


def _read(connection: Connection) -> People:
    site = connection.execute(_SQL.text("read_site")).fetchone()
    former: dict[int, frozenset[str]] = {}
    for uid, name in connection.execute(_SQL.text("list_former_names")):
        former[uid] = former.get(uid, frozenset()) | {name}
    standings: dict[int, dict[str, tuple[str, ...]]] = {}
    for uid, source, projects in connection.execute(_SQL.text("list_standings")):
        standings.setdefault(uid, {})[source] = tuple(projects)
    persons = tuple(
        Person(uid, name, joined, subject, standings.get(uid, {}), left, released)
        for uid, name, joined, subject, left, released in connection.execute(_SQL.text("list_persons"))
    )
    projects = dict(connection.execute(_SQL.text("list_projects")).fetchall())
    return People(persons, projects, former, Site(*site) if site else None)


def _write(connection: Connection, changes: Changes) -> None:
    if changes.site is not None:
        connection.execute(_SQL.text("write_site"), vars(changes.site))
    for name, gid in changes.projects.items():
        connection.execute(_SQL.text("add_project"), {"name": name, "gid": gid})
    for person in changes.persons:
        connection.execute(_SQL.text("write_person"), {k: v for k, v in vars(person).items() if k != "standings"})
        connection.execute(_SQL.text("forget_standings"), {"uid": person.uid})
        for source, projects in person.standings.items():
            given = {"uid": person.uid, "source": source, "projects": list(projects)}
            connection.execute(_SQL.text("add_standing"), given)
    for uid, name in changes.former.items():
        connection.execute(_SQL.text("add_former_name"), {"uid": uid, "name": name})
