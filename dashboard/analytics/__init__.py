"""The analytics page: what comes on the stream just now, over all races."""
