"""A workload played on a real pool with simulated devices and scaled time: what a policy does, before it is made."""
