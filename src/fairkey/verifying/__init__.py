"""Verification by strangers: files, zips and whole logs against keys from a policy. Runs without the server."""
