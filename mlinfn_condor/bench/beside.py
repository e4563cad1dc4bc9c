"""What stands beside ours: the same pool and policy, but HTCondor's own intervals and one schedd for everything."""

NAME = "HTCondor's default intervals, one schedd for everything"
ACCESS_POINT = "batch@"

# An empty value is HTCondor's own default, whatever that is in the version under test (25.14, in
# seconds: SCHEDD 300, NEGOTIATOR 60, its MIN 5 and CYCLE_DELAY 20, UPDATE 300, POLLING 5).
OVERRIDES = """
SCHEDD_INTERVAL =
SCHEDD_MIN_INTERVAL =
NEGOTIATOR_INTERVAL =
NEGOTIATOR_MIN_INTERVAL =
NEGOTIATOR_CYCLE_DELAY =
UPDATE_INTERVAL =
POLLING_INTERVAL =
MLINFN_CLASSES_HERE = interactive,dask,batch
"""
"""Configuration that is read last. The interactive access point still runs, but nobody submits there."""
