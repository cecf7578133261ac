"""Health of the pipeline: probes of its parts, and pure functions that judge the results."""
