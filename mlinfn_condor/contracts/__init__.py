"""Contracts between those who share a pool: what a site promises to whom, and its form as HTCondor configuration."""
