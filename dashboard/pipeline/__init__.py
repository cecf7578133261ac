"""The pipeline page: whether the stream is alive, part by part."""
