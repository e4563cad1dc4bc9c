"""Errors, named by who must act. The message is one line that says what happened and what to do."""

from typing import ClassVar


class MlinfnError(Exception):
    """Base of every error that a person can act on; the command line prints its message and exits with 1."""

    page: ClassVar[str] = ""
    """Where the documentation helps further, as file and heading; empty: the message says all there is."""


class BadRequest(MlinfnError):
    """What the user asked for cannot be had; the message names each wrong value and its cure."""


class SettingsWrong(BadRequest):
    """A file of settings has mistakes; each is named with its place and its cure, a line each."""

    page = "docs/reference/settings.md"


class PoolUnavailable(MlinfnError):
    """A daemon of the pool did not answer or refused; nothing was changed."""

    page = "docs/operations.md"


class JobRefused(MlinfnError):
    """The access point refused the job; the message is the reason that the pool's policy gives."""

    page = "docs/policy.md#admission-each-refusal-says-what-to-do"


class JobNotFound(MlinfnError):
    """No access point knows this job, neither in its queue nor in its history."""


class NodeNotFound(MlinfnError):
    """The collector knows no node of this name."""


class NodeBusy(MlinfnError):
    """Something runs on the node, and only an idle one was to be drained; nothing was changed."""

    page = "docs/provisioning.md#commands"


class JobHeld(MlinfnError):
    """The job went on hold while somebody waited for it; the message is its HoldReason."""

    page = "docs/operations.md#a-payload-does-not-start"


class JobEnded(MlinfnError):
    """The job left the queue without ever reaching the state that somebody waited for."""

    page = "docs/operations.md#a-payload-does-not-start"


class Timeout(MlinfnError):
    """The event that somebody waited for did not come before the deadline."""

    page = "docs/operations.md#a-payload-does-not-start"


class InstallFailed(MlinfnError):
    """HTCondor could not be installed; nothing half-installed was left behind."""

    page = "docs/decisions/0001-private-htcondor.md"


class EmbeddedPoolError(MlinfnError):
    """The private pool on this machine could not be brought up or down."""

    page = "docs/operations.md#the-embedded-pool"


class UserError(MlinfnError):
    """The command was used in a way it cannot serve; the message says how to use it."""
