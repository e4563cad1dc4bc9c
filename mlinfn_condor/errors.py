"""Errors, named by who must act. The message is one line that says what happened and what to do."""


class MlinfnError(Exception):
    """Base of every error that a person can act on; the command line prints its message and exits with 1."""


class BadRequest(MlinfnError):
    """What the user asked for cannot be had; the message names each wrong value and its cure."""


class PoolUnavailable(MlinfnError):
    """A daemon of the pool did not answer or refused; nothing was changed."""


class JobRefused(MlinfnError):
    """The access point refused the job; the message is the reason that the pool's policy gives."""


class JobNotFound(MlinfnError):
    """No access point knows this job, neither in its queue nor in its history."""


class NodeNotFound(MlinfnError):
    """The collector knows no node of this name."""


class NodeBusy(MlinfnError):
    """Something runs on the node, and only an idle one was to be drained; nothing was changed."""


class JobHeld(MlinfnError):
    """The job went on hold while somebody waited for it; the message is its HoldReason."""


class JobEnded(MlinfnError):
    """The job left the queue without ever reaching the state that somebody waited for."""


class Timeout(MlinfnError):
    """The event that somebody waited for did not come before the deadline."""


class InstallFailed(MlinfnError):
    """HTCondor could not be installed; nothing half-installed was left behind."""


class EmbeddedPoolError(MlinfnError):
    """The private pool on this machine could not be brought up or down."""


class UserError(MlinfnError):
    """The command was used in a way it cannot serve; the message says how to use it."""
