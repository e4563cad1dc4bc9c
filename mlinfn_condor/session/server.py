"""The JupyterLab of a session, a job of class interactive: `python -m mlinfn_condor.session.server --folder FOLDER`."""

import argparse
import os
import sys
from pathlib import Path

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.session.folder import SessionFolder
from mlinfn_condor.storage.room import refuse_full


def main() -> None:
    """Serve until SIGTERM; a mistake in folder or token is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="mlinfn_condor.session.server", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the session's folder, which holds its token")
    parser.add_argument("--root-dir", type=Path, default=Path.home(), help="what the file browser shows")
    parser.add_argument("--ip", default="127.0.0.1", help="address to listen on")
    arguments = parser.parse_args()
    folder = SessionFolder(arguments.folder)
    try:
        refuse_full(arguments.root_dir)
        environment = folder.environment()
        token = "" if environment else folder.token()
    except (MlinfnError, OSError, ValueError) as error:
        sys.exit(str(error))
    os.environ.update(environment)
    if added := environment.get("MLINFN_SESSION_PATH"):
        os.environ["PATH"] = os.pathsep.join([added, os.environ.get("PATH", os.defpath)])
    serve(folder, token, arguments.root_dir, arguments.ip)


def serve(folder: SessionFolder, token: str, root: Path, ip: str) -> None:
    """Run JupyterLab until it is told to stop. Imports Jupyter only here, because it is nearly all of the start.

    Without a token it is a hub's session: the hub says who may come in.
    """
    scratch = os.environ.get("_CONDOR_SCRATCH_DIR")
    if scratch:
        # The node's own disk: fast, and gone with the session.
        os.environ["MLINFN_SCRATCH"] = scratch
    # Kernels' keys and the cookies' secret: on the node, gone with the session however it ends.
    os.environ["JUPYTER_RUNTIME_DIR"] = scratch or str(folder.path / "runtime")
    # Half of the imports' time would go to this one, which builds a grammar only to check the form of addresses with
    # umlauts in Jupyter's own events. jsonschema does without the check if the module cannot be imported.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from mlinfn_condor.session.application import SessionServer
    from mlinfn_condor.session.configuration import configuration
    from mlinfn_condor.session.dashboards import offered

    SessionServer.session_folder = folder
    SessionServer.session_config = configuration(token, root, ip)
    if not token:
        extensions = {"mlinfn_condor.session.single_user": True} | offered(os.environ)
        SessionServer.session_config.ServerApp.jpserver_extensions |= extensions
    SessionServer.launch_instance(argv=[])


if __name__ == "__main__":
    main()
