"""From a validated request to an HTCondor job, and from a job to words about it."""
