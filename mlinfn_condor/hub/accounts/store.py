"""The file of accounts: read by the hub, changed by the hub, its accounts service and `mlinfn hub account`."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.errors import UserError
from mlinfn_condor.hub.accounts.account import Account, Accounts

_FILE = TypeAdapter(dict[str, Account])
_REMOVED = TypeAdapter(dict[str, int])
Version = tuple[int, int, int]


class Store:
    """Accounts below one folder of mode 700. Every change is made under a lock, and is whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        """JSON object: name → Account."""
        return self.folder / "accounts.json"

    @property
    def passwords(self) -> Path:
        """Passwords that were made for the people of an embedded pool, in plain text; there only on such a pool."""
        return self.folder / "passwords.json"

    @property
    def applied(self) -> Path:
        """Which membership the access points have read."""
        return self.folder / "membership.json"

    @property
    def removed_file(self) -> Path:
        """When accounts were removed that are no more, or that others have."""
        return self.folder / "removed.json"

    def removed(self) -> dict[str, int]:
        """Name → second of the epoch when his account was last removed. Raises UserError when the file was damaged."""
        try:
            return _REMOVED.validate_json(self.removed_file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            raise UserError(f"{self.removed_file} cannot be read; restore it: it says whose tokens are void") from error

    def read(self) -> Accounts:
        """Every account by name. Raises UserError when the file was damaged: nobody is let in by mistake."""
        try:
            return _FILE.validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UserError(f"{self.path}: {error.strerror}") from error
        except ValidationError as error:
            at = ".".join(map(str, error.errors()[0]["loc"]))
            raise UserError(f"{self.path}: {at or 'the file'}: {error.errors()[0]['msg']}; restore the file") from error

    def version(self) -> Version | None:
        """Differs after each change; None while there is no file."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    @contextmanager
    def change(self) -> Iterator[dict[str, Account]]:
        """The accounts, to be changed; written at the end if they were, and not when the block raises."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "accounts.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.read()
            accounts = dict(before)
            yield accounts
            if accounts != before:
                if gone := before.keys() - accounts.keys():  # noted first: killed in between, nobody is forgotten
                    moment = int(datetime.now(UTC).timestamp())
                    noted = self.removed() | dict.fromkeys(sorted(gone), moment)
                    write_private(self.removed_file, _REMOVED.dump_json(noted))
                kept = {
                    name: accounts[name].model_dump(mode="json", exclude_defaults=True) for name in sorted(accounts)
                }
                write_private(self.path, f"{json.dumps(kept, indent=1)}\n".encode())
