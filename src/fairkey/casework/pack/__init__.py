"""A pack: what a clerk reads and an expert checks, in one folder and one ZIP."""
