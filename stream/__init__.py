"""The contract between the three programs, and how to reach Kafka and Pinot. Imports nothing of ours."""
