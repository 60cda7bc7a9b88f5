"""The only write path, and the house that edges are handed."""
