"""A whole pool on one machine: HTCondor itself, its configuration, up and down."""
