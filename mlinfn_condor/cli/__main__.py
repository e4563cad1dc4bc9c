"""`python -m mlinfn_condor.cli` is `mlinfn`."""

from mlinfn_condor.cli import main

if __name__ == "__main__":
    main()
