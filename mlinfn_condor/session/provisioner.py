"""Starts the kernels of a session so that none touches a device before the session has it."""

import asyncio
import os
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from mlinfn_condor.session.handover import LOOK_SECONDS, Handover, hide_devices

_EXTENSION = "mlinfn_condor.session.wait_for_device"


class DeviceProvisioner(LocalProvisioner):
    """The usual local kernel processes; while a hand-over goes on, either the first cell waits or the kernel does."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Start kernels that can wait by themselves at once, all others when the devices are here."""
        kwargs = await super().pre_launch(**kwargs)
        handover = Handover.around(os.environ)
        if handover is None or handover.is_over:
            return kwargs
        if can_wait_by_itself(kwargs["cmd"]):
            kwargs["cmd"] = [*kwargs["cmd"], f"--ext={_EXTENSION}"]
            environment: MutableMapping[str, str] = kwargs["env"]
            # Already here and not only in the extension: start-up files of the user run before any cell.
            hide_devices(environment)
        else:
            while not handover.is_over:
                await asyncio.sleep(LOOK_SECONDS)
        return kwargs


def can_wait_by_itself(command: Sequence[str]) -> bool:
    """Whether the kernel is an ipykernel that can import our extension: one of the session's own Python."""
    return "ipykernel_launcher" in command and Path(command[0]).absolute() == Path(sys.executable).absolute()
