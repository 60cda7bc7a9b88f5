"""What a stranger needs to check us; runs without our server."""
