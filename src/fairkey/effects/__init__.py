"""What must happen outside after the commit, at least once."""
