"""What is said of mirrors."""

import pytest

from mlinfn_condor.store.errors import MirrorFailed
from mlinfn_condor.store.mirror.source import Mirror, slot_name


@pytest.mark.parametrize(("site", "slot"), [("demo", "mlinfn_demo"), ("bari-2", "mlinfn_bari_2")])
def test_a_slot_is_named_after_its_site(site: str, slot: str) -> None:
    assert slot_name(site) == slot


@pytest.mark.parametrize("site", ["", "Bari", "a b", "x" * 33, "x'; DROP"])
def test_what_is_no_name_of_a_site_is_refused(site: str) -> None:
    with pytest.raises(MirrorFailed, match="no name of a site"):
        slot_name(site)


def test_a_mirror_that_is_connected_needs_nobody() -> None:
    assert Mirror("mlinfn_demo", True, "reserved", 2**30, 2**30).warning(0) is None


def test_a_mirror_that_is_away_says_how_much_disk_it_takes_and_how_to_end_it() -> None:
    said = Mirror("mlinfn_demo", False, "extended", 5 * 2**20, 7 * 2**20).warning(100 * 2**20)
    assert said == (
        "mirror mlinfn_demo is away: nothing is lost, 7 MB are kept for it, 100 MB are free; "
        "if it never comes back: mlinfn db mirror --remove"
    )


def test_a_mirror_that_lost_changes_says_so_also_when_it_is_connected() -> None:
    assert "lost changes" in (Mirror("mlinfn_demo", True, "lost", 0, 0).warning() or "")
