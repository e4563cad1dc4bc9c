"""How far a file has been read, and what in it is not understood; moved in the transaction that stores its rows."""

from dataclasses import asdict, dataclass

from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.store import Connection


@dataclass(frozen=True)
class Place:
    """A file as the database knows it."""

    access_point: str
    kind: str
    file: str
    """Fingerprint of its first record."""


@dataclass(frozen=True)
class Cursor:
    """The position in one file. Its acts belong into one transaction, which begins with `take`."""

    connection: Connection
    place: Place

    def take(self) -> int:
        """Where to read on; another reader of the same file waits until this transaction ends."""
        where = asdict(self.place)
        self.connection.execute(SQL.text("know_cursor"), where)
        row = self.connection.execute(SQL.text("take_cursor"), where).fetchone()
        return row[0] if row else 0

    def move(self, read_bytes: int, records: int, refused: int) -> None:
        """Everything before `read_bytes` is stored; `records` and `refused` more than before."""
        moved = {"read_bytes": read_bytes, "records": records, "refused": refused}
        self.connection.execute(SQL.text("move_cursor"), asdict(self.place) | moved)

    def refuse(self, position: int, reason: str, record: bytes) -> None:
        """Keep a record that cannot be stored, as it stands there."""
        kept = {"at_byte": position, "reason": reason, "record": record.decode(errors="replace").replace("\0", "")}
        self.connection.execute(SQL.text("keep_refused"), asdict(self.place) | kept)
