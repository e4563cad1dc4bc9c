"""What a node's devices do and use: measured beside its startd, and told in its slots' and jobs' ads."""
