"""mlinfn-condor: every payload of a shared AI platform is an HTCondor job with a priority class."""

__version__ = "0.1.0"
