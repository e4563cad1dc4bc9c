"""Work that starts by the clock or by data, each run exactly once, as jobs of its owner."""
