"""Sessions are told of the end of their person's account: when, and how that meets the other warnings."""

from datetime import UTC, datetime

import pytest

from mlinfn_condor.hub.accounts.account import Account
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.culling.account_end import WHY, AccountEnds, or_account_end
from mlinfn_condor.hub.culling.decision import Act, Evidence, Keep, Warn
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.session import notices
from mlinfn_condor.session.notices import Notice

NOW = 2_000_000_000.0
MINUTE = 60.0
RULES = Rules(account_warning_minutes=60)
NOTHING, UNKNOWN = Keep("a kernel is busy"), Keep("it has no report", unknown=True)
END = NOW + 30 * MINUTE
TOLD = Notice(NOW, END, "stop", "account", WHY)
EARLIER = Notice(NOW - 20 * MINUTE, END, "stop", "account", WHY)


def idle(deadline):
    return Notice(NOW - 5 * MINUTE, deadline, "restart-without-device", "idle", "Because.")


@pytest.mark.parametrize(
    ("decision", "standing", "ends", "expected"),
    [
        (NOTHING, None, None, NOTHING),
        (NOTHING, None, NOW + 61 * MINUTE, NOTHING),
        (NOTHING, None, END, Warn(TOLD)),
        (UNKNOWN, None, END, Warn(TOLD)),
        (NOTHING, EARLIER, END, Warn(EARLIER)),
        (NOTHING, Notice(NOW, NOW + 99, "stop", "account", WHY), END, Warn(TOLD)),
        (NOTHING, idle(END), END, Warn(TOLD)),
        (Warn(idle(END - MINUTE)), EARLIER, END, Warn(idle(END - MINUTE))),
        (Warn(idle(END + MINUTE)), None, END, Warn(TOLD)),
        (Act("stop", "idle"), EARLIER, END, Act("stop", "idle")),
        (NOTHING, EARLIER, NOW + 100 * MINUTE, NOTHING),
        (NOTHING, Notice(NOW - 99, NOW - 9, "stop", "account", WHY), NOW - 9,
         Warn(Notice(NOW - 99, NOW - 9, "stop", "account", WHY))),
    ],
    ids=["no end", "long before", "an hour before", "whatever is known", "it stands", "it was extended a little",
         "it replaces another", "idleness comes first", "idleness comes later", "it goes now", "it was extended",
         "it is over and the accounts service comes"],
)  # fmt: skip
def test_cases(decision, standing, ends, expected):
    assert or_account_end(decision, Evidence(None, standing, True), ends, RULES, NOW) == expected


def test_nobody_can_keep_such_a_session_and_it_says_so():
    read = notices.read(TOLD.as_json())
    assert read == TOLD
    assert not read.can_be_kept
    assert notices.text(TOLD).endswith("Your account ends then. Save what you need.")


def test_ends_are_those_of_the_accounts_and_follow_their_changes(tmp_path):
    store = Store(tmp_path / "accounts")
    ends = AccountEnds(store)
    assert ends("alice") is None
    moment = datetime(2033, 5, 18, tzinfo=UTC)
    with store.change() as accounts:
        accounts |= {"alice": Account(projects=("alpha",), until=moment), "bob": Account(projects=("beta",))}
    assert (ends("alice"), ends("bob"), ends("carol")) == (moment.timestamp(), None, None)
    store.path.write_text("{broken")
    assert ends("alice") is None
