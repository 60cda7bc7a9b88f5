"""Victims of one shop together: who counts as the same shop, what each claims, one letter, one pack."""
