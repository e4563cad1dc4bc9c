"""A matter is told when it is new."""

from mlinfn_condor.complaints import Complaint


def test_the_same_is_said_once_until_it_went_well_or_another_comes():
    said = []
    complaint = Complaint(said.append)
    for text in ("disk full", "disk full", "no network", "disk full"):
        complaint.make(text)
    complaint.settle()
    complaint.make("disk full")
    assert said == ["disk full", "no network", "disk full", "disk full"]
