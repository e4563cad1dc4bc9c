"""Made-up slots, as a startd would advertise them."""

from policy import Ad, Expression

GPUS = Expression('{ [ Id = "GPU-1"; DeviceModel = "T4" ], [ Id = "GPU-2"; DeviceModel = "T4" ] }')
FPGAS = Expression('{ [ Id = "FPGA-1"; DeviceModel = "U250" ] }')


def slot(offer: str, **attributes: object) -> Ad:
    """A slot over two T4 and one U250, in shapes of 4 CPUs and 50,000 MB; without devices when it offers "work"."""
    plain = {"MlinfnOffer": offer, "MlinfnDeviceCpus": 4, "MlinfnDeviceMemoryMb": 50000, "MlinfnOwnerProject": ""}
    if offer != "work":
        plain |= {"TotalSlotGPUs": 2, "TotalSlotFPGAs": 1, "AvailableGPUs": GPUS, "AvailableFPGAs": FPGAS}
    return {**plain, **attributes}


def bare_session_slot() -> Ad:
    """The primary slot for sessions without a device."""
    return {"MlinfnOffer": "session", "MlinfnDeviceCpus": 4, "MlinfnDeviceMemoryMb": 50000, "MlinfnOwnerProject": ""}


def wants(priority_class: str | None, **attributes: object) -> Ad:
    """A job of this class that asks for one CPU and 1,000 MB."""
    plain = {"RequestCpus": 1, "RequestMemory": 1000, "Project": "alpha"}
    return {**plain, **({"PriorityClass": priority_class} if priority_class else {}), **attributes}
