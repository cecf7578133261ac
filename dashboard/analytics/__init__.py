"""The analytics page: current activity on the stream, over all races."""
