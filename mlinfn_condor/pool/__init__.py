"""Gate to HTCondor: the only package that imports its bindings."""
