"""`python -m mlinfn_condor.services.hosted RUNNER WORD…`: a command of `mlinfn` that ends when its runner does."""

import sys

from mlinfn_condor.stopping import end_with

if __name__ == "__main__":
    end_with(int(sys.argv[1]), "runner")
    sys.argv = ["mlinfn", *sys.argv[2:]]
    import runpy

    runpy.run_module("mlinfn_condor.cli", run_name="__main__")
