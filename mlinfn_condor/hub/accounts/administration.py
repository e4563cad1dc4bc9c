"""What an administrator does to accounts: pure, on the accounts that a Store hands out to be changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from mlinfn_condor.embedded.blueprint import ADMINISTRATOR
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts.account import Account
from mlinfn_condor.hub.accounts.project_map import check_projects
from mlinfn_condor.identity.names import ROLES, identity

Changeable = dict[str, Account]
LONGEST_NOTICE_MINUTES = 7 * 24 * 60


def end_of(now: datetime, days: float | None, until: str | None) -> datetime | None:
    """When an account ends of which this was said; a time without a zone is this machine's. Raises BadRequest."""
    if days is not None and until is not None:
        raise BadRequest("say either --days or --until")
    if days is not None:
        if not days > 0:
            raise BadRequest(f"--days {days:g}: an account lasts longer than that; `mlinfn hub account end` ends one")
        try:
            return now + timedelta(days=days)
        except OverflowError as error:
            raise BadRequest(f"--days {days:g}: leave it out for an account without an end") from error
    if until is None:
        return None
    try:
        ends = datetime.fromisoformat(until).astimezone(now.tzinfo)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"--until {until}: write a time like 2026-12-01T18:00") from error
    if ends <= now:
        raise BadRequest(f"--until {until} is over already; `mlinfn hub account end` ends an account now")
    return ends


def add(accounts: Changeable, name: str, account: Account, known_projects: Sequence[str]) -> None:
    """A new account. Raises BadRequest for a name that cannot be, one that is taken, and projects that do not exist."""
    identity(name, ROLES - {ADMINISTRATOR})
    if name in accounts:
        raise BadRequest(f"there is an account {name}: extend, end or remove it")
    check_projects(account.projects, known_projects)
    if account.password is not None and not account.member_of and not account.admin:
        raise BadRequest(f"{name} could do nothing: give a --project")
    accounts[name] = account


def extend(accounts: Changeable, name: str, until: datetime | None) -> None:
    """Another end, or none."""
    accounts[name] = known(accounts, name).model_copy(update={"until": until})


def end(accounts: Changeable, name: str, now: datetime, notice_minutes: float = 0) -> None:
    """Over now, or in so many minutes; the account stays, and can be extended. One that ends sooner keeps its end."""
    if not 0 <= notice_minutes <= LONGEST_NOTICE_MINUTES:
        raise BadRequest(
            f"--notice {notice_minutes:g}: minutes, from 0 to {LONGEST_NOTICE_MINUTES}; `extend` takes a date"
        )
    account, until = known(accounts, name), now + timedelta(minutes=notice_minutes)
    if account.until is None or account.until > until:
        accounts[name] = account.model_copy(update={"until": until})


def remove(accounts: Changeable, name: str) -> None:
    """Forget it. Whoever signs in elsewhere may come again if his groups let him."""
    known(accounts, name)
    del accounts[name]


def known(accounts: Changeable, name: str) -> Account:
    """The account; BadRequest when there is none."""
    if name not in accounts:
        raise BadRequest(f"there is no account {name}: `mlinfn hub account list` shows them")
    return accounts[name]
