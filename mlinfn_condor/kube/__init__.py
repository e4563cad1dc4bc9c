"""The gate to Kubernetes: the only package that imports its client."""
