"""Benchmarks: ours beside the default, in one run."""
