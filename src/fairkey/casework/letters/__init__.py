"""Letters: their shape, how they are composed, how they are read over."""
