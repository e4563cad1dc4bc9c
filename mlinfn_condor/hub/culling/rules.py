"""When a site takes idle sessions back: its numbers, no code."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor.session.notices import Deed


class Rules(BaseModel):
    """`[culling]` of the hub's settings.

    A session is idle while its kernels are idle, nobody types, its device does nothing, and (without a device, or where
    nobody can tell what the device does) its processes hardly use the CPU. Open tabs are no work, silent kernels are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """False ends no session, whatever it does or does not."""
    device_idle_minutes: float = Field(default=60, gt=0)
    """Idleness after which a session with a device is warned. Others wait for that device."""
    device_warning_minutes: float = Field(default=15, ge=1)
    """Between the warning and the deed, for a session with a device. Long enough to come back from a coffee."""
    with_device: Deed = "stop"
    """What happens then to a session with a device. `restart-without-device` leaves the page, its kernels end too."""
    idle_minutes: float = Field(default=240, gt=0)
    """The same for a session without a device: it costs memory and a little CPU."""
    warning_minutes: float = Field(default=15, ge=1)
    """Between the warning and the stop, for a session without a device."""
    longest_hours: float | None = Field(default=None, gt=0)
    """A session is stopped at this age, at work or not. None: never. Not for sessions whose report is missing or old:
    who needs a limit that no user can evade sets AllowedJobDuration in HTCondor, which gives no warning."""
    age_warning_minutes: float = Field(default=60, ge=1)
    """How long before that age the session is warned: time to save."""
    account_warning_minutes: float = Field(default=60, ge=1)
    """How long before the end of a person's account his sessions are told of it, culling or not."""
    cpu_percent: float = Field(default=5, gt=0, le=100)
    """CPU of all the session's programs, in percent of one core, from which they are at work. Below: kernels that wait,
    language servers, file watchers."""
    device_percent: float = Field(default=2, gt=0, le=100)
    """Utilisation of a device (compute, memory, encoder or decoder) from which it is at work."""
    cpu_keeps_device: bool = True
    """Whether work on the CPU alone keeps a device: preparing data, say, in a terminal. False: only the device, the
    kernels and the person count."""
    report_seconds: float = Field(default=150, ge=5)
    """Age from which a report counts as none. A session writes one every 30 s; shared homes delay some of them."""
    look_seconds: float = Field(default=60, ge=1)
    """Between two looks of the culler at all sessions."""

    @model_validator(mode="after")
    def _room_for_the_warning(self) -> Self:
        if self.longest_hours is not None and self.age_warning_minutes >= 60 * self.longest_hours:
            raise ValueError("age_warning_minutes must be shorter than longest_hours")
        return self
