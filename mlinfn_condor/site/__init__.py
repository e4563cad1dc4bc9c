"""A site in one file, `mlinfn.toml`: what it says, whether it fits together, and what is rendered from it."""
