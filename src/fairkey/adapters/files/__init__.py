"""Files that were given as evidence, kept encrypted in a folder or a bucket."""
