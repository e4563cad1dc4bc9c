"""The figures of the reports, live: an endpoint for Prometheus."""
