"""`python -m mlinfn_condor.hub -f CONFIGURATION`: the hub, with JupyterHub's own options."""

from mlinfn_condor.hub.application import Hub

if __name__ == "__main__":
    Hub.launch_instance()
