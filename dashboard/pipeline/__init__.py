"""The pipeline page: the health of each component of the stream."""
