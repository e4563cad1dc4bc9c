"""What can go wrong with homes. One line each, as in `mlinfn_condor.errors`."""

from mlinfn_condor.errors import MlinfnError


class HomeFull(MlinfnError):
    """There is no room left in the home, so that nothing could be saved; nothing was started."""

    page = "docs/storage.md#homes-and-project-folders"


class StorageFailed(MlinfnError):
    """A home or a project's folder could not be made, or the export not be mounted."""

    page = "docs/storage.md#homes-and-project-folders"
